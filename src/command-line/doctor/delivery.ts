import type { Config } from '#src/config.ts';
import type { Database } from '#src/database/database.ts';
import { selectWaitingDigests, type WaitingDigests } from '#src/digests/waiting-store.ts';
import { createHaltStore, type HaltState } from '#src/mail/halt-store.ts';
import { countWaitingNotices } from '#src/mail/notice-report-store.ts';
import { createThrottleStore } from '#src/mail/throttle-store.ts';
import { countOverdue } from '#src/subscribers/due-store.ts';
import { type Check, count, duration, type Finding, failed, ok, warning } from './check.ts';

const MINUTE = 60_000;
/** How long something may be due before it is told: the planner's beat, and a block that is being sent. */
const PATIENCE_MS = 15 * MINUTE;
/** A relay that takes a day's digests for this long is slower than it should be. */
const SLOW_MS = 60 * MINUTE;

/** A halt, what is overdue, and what waits to be settled. */
export const checkDelivery = (config: Config, database: Database, now: () => Date): Check => ({
  name: 'delivery',
  fix: "look at the database's log",
  run: async () => {
    const at = now();
    const before = new Date(at.getTime() - PATIENCE_MS);
    const plannedBy = new Date(before.getTime() - config.papers.patienceMinutes * MINUTE);
    const [halt, overdue, digests, notices, paused] = await Promise.all([
      createHaltStore({ database }).look(),
      countOverdue(database, plannedBy),
      selectWaitingDigests(database, at),
      countWaitingNotices(database, before),
      createThrottleStore({ database }).paused(),
    ]);
    return [
      judgeHalt(halt, at),
      judgeOverdue(overdue, at),
      judgeDigests(digests, at),
      judgeUnknown(digests),
      judgeNotices(notices, at),
      ...judgePauses(paused),
    ];
  },
});

/** The relay refuses us: nothing is sent. */
export function judgeHalt(halt: HaltState | null, at: Date): Finding {
  if (!halt) return ok('delivery', 'not halted');
  const since = duration(at.getTime() - halt.raisedAt.getTime());
  return failed(
    'delivery',
    `HALTED for ${since}, tried ${halt.probes} times: the relay refuses us as a sender (${halt.reply})`,
    'SMTP_URL, MAIL_FROM: mend what it refuses us for, then `paperboy ledger resume`',
  );
}

/** Something that waits, and since when. */
type Waiting = { readonly count: number; readonly since: Date | null };
const age = (since: Date | null, at: Date) => at.getTime() - (since ?? at).getTime();

/** Readers whose hour has passed without a digest being planned. */
export function judgeOverdue({ count: n, since }: Waiting, at: Date): Finding {
  if (n === 0) return ok('planning', 'nobody is overdue');
  return failed(
    'planning',
    `${count(n, 'reader')} overdue, the first for ${duration(age(since, at))}`,
    'is a worker running (`paperboy start`, `paperboy worker`), and has it read the sources (`paperboy sources`)? See its log',
  );
}

/** Digests that are due and not sent. */
export function judgeDigests({ due, dueSince, deferred, reply }: WaitingDigests, at: Date): Finding {
  const put = deferred > 0 ? `${count(deferred, 'digest')} deferred (last: ${reply ?? 'no reply'})` : '';
  if (due === 0) return ok('digests', put || 'none waits');
  const waited = age(dueSince, at);
  const seen = [`${count(due, 'digest')} due, the first for ${duration(waited)}`, put]
    .filter((text) => text !== '')
    .join('; ');
  return waited > SLOW_MS
    ? warning(
        'digests',
        seen,
        'is a worker running, does the relay take our mail (`paperboy mail test`), are SEND_LIMITS or WARM_UP too low?',
      )
    : ok('digests', seen);
}

/** Digests in doubt. */
export function judgeUnknown({
  unknown,
  unknownSince,
}: Pick<WaitingDigests, 'unknown' | 'unknownSince'>): Finding {
  if (unknown === 0) return ok('in doubt', 'no digest');
  return warning(
    'in doubt',
    `${count(unknown, 'digest')} may or may not have arrived, the oldest of ${unknownSince}`,
    "`paperboy ledger` shows them, `paperboy ledger resolve` settles them by the relay's log",
  );
}

/** Confirmations and other mails that somebody waits for. */
export function judgeNotices({ count: n, since }: Waiting, at: Date): Finding {
  if (n === 0) return ok('notices', 'none waits');
  return failed(
    'notices',
    `${count(n, 'confirmation')} or other mail waits, the first for ${duration(age(since, at))}`,
    'is a worker running, and does the relay take our mail (`paperboy mail test`)?',
  );
}

/** Domains that asked for patience. */
export function judgePauses(paused: ReadonlyMap<string, number>): Finding[] {
  const names = [...paused.keys()].map((key) => key.replace(/^domain:/, ''));
  if (names.length === 0) return [];
  return [
    warning(
      'pauses',
      `mail pauses to ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}, which asked for patience`,
      'it goes on by itself; should it come again, set SEND_LIMITS for the domain',
    ),
  ];
}
