import { setTimeout as delay } from 'node:timers/promises';

/** What came of looking at one thing. `skipped`: it could not, or was not to, be looked at. */
export type FindingState = 'ok' | 'warning' | 'failed' | 'skipped';

/** A line of `paperboy doctor`. */
export type Finding = {
  /** What was looked at: `database`, `relay mail.example.org:587` … */
  readonly check: string;
  readonly state: FindingState;
  /** What was seen there, in words; never a secret. */
  readonly seen: string;
  /** The setting and the fix; null where there is nothing to do. */
  readonly fix: string | null;
};

/** Something to look at. */
export type Check = {
  readonly name: string;
  /** What to do should looking break or take too long. */
  readonly fix: string;
  /** Changes nothing and mails nobody. */
  run(): Promise<readonly Finding[]>;
};

/** How long a check may take, in milliseconds. */
export const CHECK_MS = 10_000;

/** All is well. */
export const ok = (check: string, seen: string): Finding => ({ check, state: 'ok', seen, fix: null });
/** It works, and there is something to know or to mend. */
export const warning = (check: string, seen: string, fix: string): Finding => ({
  check,
  state: 'warning',
  seen,
  fix,
});
/** It doesn't work. */
export const failed = (check: string, seen: string, fix: string): Finding => ({
  check,
  state: 'failed',
  seen,
  fix,
});
/** Not looked at, and why. */
export const skipped = (check: string, why: string): Finding => ({
  check,
  state: 'skipped',
  seen: why,
  fix: null,
});

/** Runs a check; one that breaks, or takes longer than `limitMs`, has failed. Never rejects. */
export async function runCheck(check: Check, limitMs = CHECK_MS): Promise<readonly Finding[]> {
  const late = new AbortController();
  const timeout = delay(limitMs, null, { signal: late.signal }).then(() => [
    failed(check.name, `no answer within ${limitMs / 1000} s`, check.fix),
  ]);
  try {
    return await Promise.race([check.run(), timeout]);
  } catch (error) {
    return [failed(check.name, wordsOf(error), check.fix)];
  } finally {
    late.abort();
    timeout.catch(() => undefined);
  }
}

/** A fault in one line. */
export function wordsOf(error: unknown): string {
  // Of several addresses of a host each has its own.
  const first = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const { message, code } = first as NodeJS.ErrnoException;
  return (message || code || String(first)).replace(/\s+/g, ' ').trim().slice(0, 300);
}

/** Milliseconds as `40 s`, `12 min`, `5 h`, `3 days`: the largest unit of which there are two or more. */
export function duration(ms: number): string {
  const [per, unit] =
    ms < 120_000
      ? [1_000, 's']
      : ms < 7_200_000
        ? [60_000, 'min']
        : ms < 172_800_000
          ? [3_600_000, 'h']
          : [86_400_000, 'days'];
  return `${Math.round(ms / Number(per))} ${unit}`;
}

/** Octets as `640 KB`, `12 MB`, `3.4 GB`. */
export function size(octets: number): string {
  if (octets >= 1e9) return `${(octets / 1e9).toFixed(1)} GB`;
  return octets >= 1e6 ? `${Math.round(octets / 1e6)} MB` : `${Math.round(octets / 1e3)} KB`;
}

/** `1 digest`, `1,200 digests`. */
export const count = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
