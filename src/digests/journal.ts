import { mkdirSync } from 'node:fs';
import { readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DigestId, IsoDate, NoticeId } from '#src/database/ids.ts';
import type { NoticeClaim, NoticeJournal, NoticeResult } from '#src/mail/notice-store.ts';
import { createJournalFile, type JournalFile, readLines, type Unwritten } from './journal-file.ts';
import type { Claim, DigestResult } from './ledger.ts';
import { type Identity, isGone, isSameBoot, isSameHost, thisProcess } from './process-identity.ts';
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

/** The same of a claim of notices. */
export type NoticeLeftover = Pick<Leftover, 'file' | 'leaseToken'> & {
  readonly results: readonly NoticeResult[];
  readonly begun: readonly NoticeId[];
};

/** The journals of a machine. All Paperboy processes of the machine use the same directory. */
export type Journals = {
  /** Starts the journal of a claim. @throws the file system's error */
  open(rows: readonly Claim[]): ClaimJournal;
  /** Starts the journal of a claim of notices, all under one token. @throws the file system's error */
  openNotices(claims: readonly NoticeClaim[]): NoticeJournal;
  /** Journals nobody writes any more. Those of before a restart of the machine are removed: they may lack their end. */
  leftovers(): Promise<Leftover[]>;
  /** The same of notices. */
  noticeLeftovers(): Promise<NoticeLeftover[]>;
  /** The leftover is settled in the ledger. */
  remove(leftover: Pick<Leftover, 'file'>): Promise<void>;
};

type Header = Identity & {
  /** Its process' sign of life, where it gives one. */
  readonly sign?: string | undefined;
  readonly leaseToken: number;
};
type DigestsHeader = Header & Pick<Leftover, 'editionDate' | 'from' | 'to'>;

/** Of digests, and of notices. */
const SUFFIXES = { digests: '.journal', notices: '.notices' } as const;
type Suffix = (typeof SUFFIXES)[keyof typeof SUFFIXES];

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
  const open = (suffix: Suffix, leaseToken: number, claim: object): JournalFile => {
    const file = join(directory, `${leaseToken}-${process.pid}${suffix}`);
    const header: Header = { ...thisProcess(), sign: signs?.own(), leaseToken, ...claim };
    return createJournalFile(file, header, unwritten, () => abandoned.add(file));
  };
  const look = (suffix: Suffix) => readLeftovers({ directory, abandoned, signs }, suffix);
  return {
    open: (rows) => {
      const { editionDate, leaseToken } = firstOf(rows);
      const ids = rows.map((row) => row.id);
      return open(SUFFIXES.digests, leaseToken, {
        editionDate,
        from: Math.min(...ids),
        to: Math.max(...ids),
      });
    },
    openNotices: (claims) => open(SUFFIXES.notices, firstOf(claims).leaseToken, {}),
    leftovers: async () => (await look(SUFFIXES.digests)).flatMap(leftoverOf),
    noticeLeftovers: async () => (await look(SUFFIXES.notices)).map(noticeLeftoverOf),
    remove: async ({ file }) => {
      abandoned.delete(file);
      await unlink(file).catch(() => undefined);
    },
  };
}

function firstOf<Row>([first]: readonly Row[]): Row {
  if (!first) throw new RangeError('a claim without rows needs no journal');
  return first;
}

/** A journal that nobody writes any more. */
type Found = { readonly file: string; readonly header: Header; readonly text: string };

async function readLeftovers(
  {
    directory,
    abandoned,
    signs,
  }: {
    readonly directory: string;
    readonly abandoned: ReadonlySet<string>;
    readonly signs: SignsOfLife | undefined;
  },
  suffix: Suffix,
): Promise<Found[]> {
  const found: Found[] = [];
  const named = new Set<string>();
  for (const name of await namesIn(directory)) {
    if (!Object.values(SUFFIXES).some((known) => name.endsWith(known))) continue;
    const file = join(directory, name);
    const header = readHeader(await read(file));
    // A file whose header is not complete was begun a moment ago, or never got to its first message.
    if (!header) continue;
    if (!isSameBoot(header)) {
      await removeOld(file, header);
      continue;
    }
    const { sign } = header;
    if (sign !== undefined) named.add(sign);
    if (!name.endsWith(suffix)) continue;
    const gone = isGone(header) || (sign !== undefined && (await signs?.isDead(sign)) === true);
    if (!abandoned.has(file) && !gone) continue;
    // Read now that nobody writes it any more: it may have begun a message since its header was read, and died of it.
    const text = await read(file);
    // Another process may have settled and removed it since: read as empty it would say that nothing was begun.
    if (readHeader(text)) found.push({ file, header, text });
  }
  await signs?.tidy(named);
  return found;
}

const read = (file: string) => readFile(file, 'utf8').catch(() => '');

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** No claim is open for so long, in milliseconds. */
const OLD_MS = 7 * 86_400_000;

/** Of another machine that uses the same folder, which it should not, only what is long over: it may be at work. */
async function removeOld(file: string, header: Header): Promise<void> {
  const age = isSameHost(header) ? OLD_MS : await ageOf(file);
  if (age >= OLD_MS) await unlink(file).catch(() => undefined);
}

const ageOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );

function readHeader(text: string): Header | null {
  const end = text.indexOf('\n');
  if (end === -1) return null;
  try {
    const header: Header | null = JSON.parse(text.slice(0, end));
    return Number.isSafeInteger(header?.leaseToken) && typeof header?.pid === 'number' ? header : null;
  } catch {
    return null;
  }
}

/** None of a file that is damaged: what it was about ends with its lease. */
function leftoverOf({ file, header, text }: Found): Leftover[] {
  const { editionDate, leaseToken, from, to } = header as DigestsHeader;
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || Number.isNaN(Date.parse(editionDate)))
    return [];
  const { fates, begun } = readLines(text, (id) => id >= from && id <= to);
  const results = fates.map((fate) => ({ ...fate, editionDate, leaseToken }) as DigestResult);
  return [{ file, editionDate, leaseToken, from, to, results, begun: begun as DigestId[] }];
}

function noticeLeftoverOf({ file, header: { leaseToken }, text }: Found): NoticeLeftover {
  const { fates, begun } = readLines(text, Number.isSafeInteger);
  const results = fates.map((fate) => ({ ...fate, leaseToken }) as NoticeResult);
  return { file, leaseToken, results, begun: begun as NoticeId[] };
}
