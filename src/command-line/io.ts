import cliProgress from 'cli-progress';
import { InvalidArgumentError } from 'commander';
import { type IsoDate, isoDate } from '#src/database/ids.ts';

/** Where a command writes, so that tests can listen. */
export type Io = {
  /** Data: what `--json` and pipes want. */
  out(text: string): void;
  /** Words for a person: faults, notes, progress. */
  err(text: string): void;
  /** True when a person watches `err`. */
  readonly interactive: boolean;
};

/** Standard output and error of this process. */
export const standardIo: Io = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  interactive: process.stderr.isTTY === true,
};

/** A command that failed for a reason the user can mend: its message is printed without a stack, exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Counts long work on a terminal; silent elsewhere. */
export type Progress = {
  /** @param total null while it is not known */
  update(done: number, total?: number | null): void;
  stop(): void;
};

/** Starts a progress bar labelled with `what`. */
export function startProgress(io: Io, what: string): Progress {
  if (!io.interactive) return { update: () => undefined, stop: () => undefined };
  const bar = new cliProgress.SingleBar({
    format: `${what} {bar} {value}/{total}`,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  let started = false;
  return {
    update: (done, total = null) => {
      if (!started) bar.start(total ?? done, done);
      started = true;
      bar.setTotal(Math.max(total ?? 0, done));
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}

/** A value that {@link table} can show. */
type Cell = string | number | boolean | Date | null | undefined;
type Row = Readonly<Record<string, Cell>>;

/** Rows as aligned columns, numbers to the right; columns in the order of the first row's keys. */
export function table(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  if (columns.length === 0) return '(none)';
  const cell = (value: Cell) => (value instanceof Date ? value.toISOString() : String(value ?? ''));
  const widths = columns.map((name) => Math.max(name.length, ...rows.map((row) => cell(row[name]).length)));
  const line = (row: Row) =>
    columns
      .map((name, i) =>
        typeof row[name] === 'number'
          ? cell(row[name]).padStart(widths[i] ?? 0)
          : cell(row[name]).padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(Object.fromEntries(columns.map((name) => [name, name]))), ...rows.map(line)].join('\n');
}

/** Reads the value of a date option. @throws InvalidArgumentError, which commander answers with exit code 2 */
export function dateOption(text: string): IsoDate {
  try {
    return isoDate(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
