import { closeSync, mkdirSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** What became of a row, as a journal keeps it. */
export type Fate = {
  readonly id: number;
  readonly state: string;
  readonly reply?: string;
  readonly dueAt?: Date;
};

/** The journal of a claim as its writer has it: see `ClaimJournal`. */
export type JournalFile = {
  begin(id: number): void;
  end(fate: Fate): void;
  close(): void;
  abandon(): void;
};

/** What writes the ends that journals of this process have not written yet. */
export type Unwritten = Set<() => void>;

/**
 * Makes a journal whose first line is `header` as JSON; its folder is made where somebody removed it.
 * @param onAbandon told when the journal is given up and its file stays
 * @throws the file system's error; no file is left then
 */
export function createJournalFile(
  file: string,
  header: object,
  unwritten: Unwritten,
  onAbandon: () => void,
): JournalFile {
  const fd = openFile(file);
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
    end: (fate) => {
      if (pending === '') setImmediate(tryFlush);
      pending += endLine(fate);
      unwritten.add(tryFlush);
    },
    close: () => {
      finish();
      rmSync(file, { force: true });
    },
    abandon: () => {
      tryFlush();
      finish();
      onAbandon();
    },
  };
}

/** Somebody may tidy up the folder while we run. */
function openFile(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(dirname(file), { recursive: true });
    return openSync(file, 'a', 0o600);
  }
}

const endLine = ({ id, state, reply = '', dueAt }: Fate): string =>
  `E ${id} ${state} ${dueAt?.toISOString() ?? '-'} ${reply.replace(/\s+/g, ' ')}\n`;

/** What a journal's lines say after its header. */
export type JournalLines = {
  /** Fates that were known. */
  readonly fates: readonly Fate[];
  /** Rows whose content was begun, without an answer known: those that ended `unknown` as well. */
  readonly begun: readonly number[];
};

/** The states that an attempt to send ends in. */
const ENDS: ReadonlySet<string> = new Set(['sent', 'failed', 'unknown', 'deferred', 'planned']);

/**
 * Reads a journal. A last line without its end was being written when the process died: its `B` counts, its `E` does not.
 * Of a damaged file an end that can't be one counts as if it were not there: its row is in doubt.
 * @param isOurs whether a row may be of the claim; lines of others are damage as well
 */
export function readLines(text: string, isOurs: (id: number) => boolean): JournalLines {
  const begun = new Set<number>();
  const fates = new Map<number, Fate>();
  for (const match of text.matchAll(/^(?:B (\d+)$|E (\d+) (\w+) (\S+) (.*)\n)/gm)) {
    const [, begin, end, state = '', due = '-', reply = ''] = match;
    const id = Number(begin ?? end);
    if (!isOurs(id)) continue;
    if (begin !== undefined) {
      begun.add(id);
      fates.delete(id);
      continue;
    }
    const dueAt = due === '-' ? undefined : new Date(due);
    const isWhole = ENDS.has(state) && (dueAt ? !Number.isNaN(dueAt.getTime()) : state !== 'deferred');
    if (!isWhole) continue;
    if (state !== 'unknown') begun.delete(id);
    fates.set(id, { id, state, reply: reply.replaceAll('\0', ' '), ...(dueAt ? { dueAt } : {}) });
  }
  return { fates: [...fates.values()], begun: [...begun] };
}
