import { closeSync, mkdirSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DigestId, IsoDate } from '#src/database/ids.ts';
import type { Claim, DigestResult } from './ledger.ts';
import { type Identity, isGone, isSameBoot, thisProcess } from './process-identity.ts';
import type { SignsOfLife } from './sign-of-life.ts';

/**
 * What one claim has put on the wire, in a local file. A `write()` survives `kill -9` of this process (not the loss of
 * the machine) and costs half a microsecond, a commit a hundred times that: the ledger is told in groups of rows, and
 * the journal says which of a group were really begun.
 */
export type ClaimJournal = {
  /** The content of this row is about to be written. @throws the file system's error: then it must not be written */
  begin(id: DigestId): void;
  /** This row's fate is known. */
  end(result: DigestResult): void;
  /** Everything is recorded in the ledger: the file goes away. */
  close(): void;
  /** Something is not: the file stays for {@link Journals.leftovers}. */
  abandon(): void;
};

/** What a claim's journal says after its process died or gave it up. */
export type Leftover = {
  readonly file: string;
  readonly editionDate: IsoDate;
  readonly leaseToken: number;
  /** Lowest and highest id of the claim. */
  readonly from: number;
  readonly to: number;
  /** Fates that were known. */
  readonly results: readonly DigestResult[];
  /** Rows whose content was begun, without an answer known: those that ended `unknown` as well. */
  readonly begun: readonly DigestId[];
};

/** The journals of a machine. All Paperboy processes of the machine use the same directory. */
export type Journals = {
  /** Starts the journal of a claim. @throws the file system's error */
  open(rows: readonly Claim[]): ClaimJournal;
  /** Journals nobody writes any more. Those of before a restart of the machine are removed: they may lack their end. */
  leftovers(): Promise<Leftover[]>;
  /** The leftover is settled in the ledger. */
  remove(leftover: Leftover): Promise<void>;
};

type Header = Identity & {
  /** Its process' sign of life, where it gives one. */
  readonly sign?: string | undefined;
  readonly editionDate: IsoDate;
  readonly leaseToken: number;
  readonly from: number;
  readonly to: number;
};

/** What writes the ends that journals of this process have not written yet. */
type Unwritten = Set<() => void>;

const SUFFIX = '.journal';

/**
 * Opens (and makes) the directory of journals; it must be on a local disk.
 * @param deps.signs tells of processes in other containers whether they live; without it their journals wait for ever
 */
export function openJournals({
  directory,
  signs,
}: {
  readonly directory: string;
  readonly signs?: SignsOfLife;
}): Journals {
  mkdirSync(directory, { recursive: true });
  const abandoned = new Set<string>();
  const unwritten: Unwritten = new Set();
  return {
    open: (rows) =>
      openClaim({ directory, sign: signs?.own() }, rows, unwritten, (file) => abandoned.add(file)),
    leftovers: () => readLeftovers(directory, abandoned, signs),
    remove: async ({ file }) => {
      abandoned.delete(file);
      await unlink(file).catch(() => undefined);
    },
  };
}

function openClaim(
  { directory, sign }: { readonly directory: string; readonly sign: string | undefined },
  rows: readonly Claim[],
  unwritten: Unwritten,
  onAbandon: (file: string) => void,
): ClaimJournal {
  const first = rows[0];
  if (!first) throw new RangeError('a claim without rows needs no journal');
  const { editionDate, leaseToken } = first;
  const ids = rows.map((row) => row.id);
  const header: Header = {
    ...thisProcess(),
    sign,
    editionDate,
    leaseToken,
    from: Math.min(...ids),
    to: Math.max(...ids),
  };
  const file = join(directory, `${leaseToken}-${process.pid}${SUFFIX}`);
  const fd = openFile(directory, file);
  let broken: unknown;
  /** Nothing may follow a line that was cut short: the two would be read as one. */
  const append = (text: string) => {
    if (broken !== undefined) throw broken;
    try {
      const octets = Buffer.from(text);
      if (writeSync(fd, octets) < octets.length) throw new Error(`${file}: no space left for the journal`);
    } catch (error) {
      broken = error;
      throw error;
    }
  };
  try {
    append(`${JSON.stringify(header)}\n`);
  } catch (error) {
    closeSync(fd);
    unlinkSync(file);
    throw error;
  }
  let pending = '';
  let closed = false;
  const flush = () => {
    unwritten.delete(tryFlush);
    if (pending === '' || closed) return;
    const text = pending;
    pending = '';
    append(text);
  };
  /** The ledger is about to be told as well: an end that can't be written only leaves more in doubt after a crash. */
  const tryFlush = () => {
    try {
      flush();
    } catch {}
  };
  const finish = () => {
    if (closed) return;
    unwritten.delete(tryFlush);
    closed = true;
    closeSync(fd);
  };
  return {
    begin: (id) => {
      // Ends that came with the same packet go out with it: one write per message. Those of other claims as well: the
      // last message of this connection may be of one, and both would be in doubt.
      pending += `B ${id}\n`;
      unwritten.delete(tryFlush);
      for (const writeEnds of unwritten) writeEnds();
      flush();
    },
    end: (result) => {
      if (pending === '') setImmediate(tryFlush);
      pending += endLine(result);
      unwritten.add(tryFlush);
    },
    close: () => {
      finish();
      rmSync(file, { force: true });
    },
    abandon: () => {
      tryFlush();
      finish();
      onAbandon(file);
    },
  };
}

/** Somebody may tidy up the folder while we run. */
function openFile(directory: string, file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(directory, { recursive: true });
    return openSync(file, 'a', 0o600);
  }
}

const endLine = (result: DigestResult): string => {
  const due = 'dueAt' in result ? result.dueAt.toISOString() : '-';
  const reply = 'reply' in result ? result.reply.replace(/\s+/g, ' ') : '';
  return `E ${result.id} ${result.state} ${due} ${reply}\n`;
};

async function readLeftovers(
  directory: string,
  abandoned: ReadonlySet<string>,
  signs: SignsOfLife | undefined,
): Promise<Leftover[]> {
  const found: Leftover[] = [];
  const named = new Set<string>();
  for (const name of await namesIn(directory)) {
    if (!name.endsWith(SUFFIX)) continue;
    const file = join(directory, name);
    const text = await readFile(file, 'utf8').catch(() => '');
    const header = readHeader(text);
    // A file whose header is not complete was begun a moment ago, or never got to its first message.
    if (!header) continue;
    if (!isSameBoot(header)) {
      await unlink(file).catch(() => undefined);
      continue;
    }
    const { sign } = header;
    if (sign !== undefined) named.add(sign);
    const gone = isGone(header) || (sign !== undefined && (await signs?.isDead(sign)) === true);
    if (abandoned.has(file) || gone) found.push(parseJournal(file, header, text));
  }
  await signs?.tidy(named);
  return found;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function readHeader(text: string): Header | null {
  const end = text.indexOf('\n');
  if (end === -1) return null;
  try {
    return JSON.parse(text.slice(0, end)) as Header;
  } catch {
    return null;
  }
}

/** A last line without its end was being written when the process died: its `B` counts, its `E` does not. */
function parseJournal(file: string, header: Header, text: string): Leftover {
  const { editionDate, leaseToken, from, to } = header;
  const begun = new Set<DigestId>();
  const results = new Map<DigestId, DigestResult>();
  for (const match of text.matchAll(/^(?:B (\d+)$|E (\d+) (\w+) (\S+) (.*)\n)/gm)) {
    const [, begin, end, state, due, reply = ''] = match;
    if (begin !== undefined) {
      begun.add(Number(begin) as DigestId);
      continue;
    }
    const id = Number(end) as DigestId;
    const result = {
      id,
      editionDate,
      leaseToken,
      state,
      reply,
      ...(due === '-' ? {} : { dueAt: new Date(due ?? 0) }),
    };
    if (state !== 'unknown') begun.delete(id);
    results.set(id, result as DigestResult);
  }
  return { file, editionDate, leaseToken, from, to, results: [...results.values()], begun: [...begun] };
}
