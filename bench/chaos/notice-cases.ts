import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { URGENT_CONNECTIONS } from '#src/mail/relay-lane.ts';
import type { Case } from './case.ts';
import type { Stage } from './stage.ts';

/** Notices that are due when the case begins. */
const NOTICES = 150;
/** Seconds within which those that were not on the wire must be sent once a worker runs again. */
const AT_ONCE_S = 15;

/** Confirmations by the hundred, and the worker is killed in the middle of them. */
const killWhileNoticesAreDue: Case = {
  name: 'kill -9 while many confirmations are due',
  play: async ({ stage, taken }) => {
    await planNotices(stage);
    let seen = 0;
    let kill = () => undefined as void;
    stage.sink.script = (at, { to }) => {
      if (at !== 'content' || !to.startsWith('notice')) return undefined;
      seen += 1;
      if (seen === 37) kill();
      return delay(10, undefined);
    };
    const worker = await stage.startWorker();
    const killed = new Promise<void>((resolve) => {
      kill = () => resolve(worker.kill());
    });
    await stage.askForSweep();
    await killed;
    stage.sink.script = () => undefined;
    await stage.startWorker();
    const since = performance.now();
    // Those that were on the wire stay `unknown` for now; nothing else may wait for a lease.
    await untilNone(stage, "state not in ('sent', 'unknown')");
    const seconds = (performance.now() - since) / 1_000;
    if (seconds > AT_ONCE_S) throw new Error(`what was not on the wire went on after ${seconds} s only`);
    await sql`update notices set finished_at = finished_at - interval '1 minute' where state = 'unknown'`.execute(
      stage.database(),
    );
    await untilNone(stage, "state <> 'sent'");
    await judgeNotices(stage);
    await taken(1);
    return { bound: stage.connections };
  },
};

const planNotices = (stage: Stage) =>
  sql`insert into notices (kind, email, due_at, deadline)
      select 'test', 'notice' || n || '@example.org', now() - interval '1 minute', now() + interval '6 hours'
      from generate_series(1, ${NOTICES}::int) n`.execute(stage.database());

async function untilNone(stage: Stage, waiting: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (i % 10 === 0) await stage.askForSweep();
    const { rows } = await sql`select from notices where ${sql.raw(waiting)} limit 1`.execute(
      stage.database(),
    );
    if (rows.length === 0) return;
    await delay(100);
  }
  throw new Error(`notices are stuck: ${waiting}`);
}

/** @throws Error when one was lost or repeated silently, or more are in doubt than connections can have carried */
async function judgeNotices(stage: Stage): Promise<void> {
  const { rows } = await sql<{ email: string; resent: boolean }>`select email, resent from notices`.execute(
    stage.database(),
  );
  const taken = new Map<string, number>();
  for (const { to } of stage.sink.messages) taken.set(to, (taken.get(to) ?? 0) + 1);
  const lost = rows.filter(({ email }) => !taken.has(email)).length;
  const repeated = rows.filter(({ email, resent }) => (taken.get(email) ?? 0) > 1 && !resent).length;
  const doubtful = rows.filter(({ resent }) => resent).length;
  if (lost + repeated > 0) throw new Error(`${lost} notices lost, ${repeated} repeated silently`);
  const bound = stage.connections + URGENT_CONNECTIONS;
  if (doubtful > bound) throw new Error(`${doubtful} notices in doubt, not ${bound}`);
}

/** Faults that meet transactional mails. */
export const NOTICE_CASES: readonly Case[] = [killWhileNoticesAreDue];
