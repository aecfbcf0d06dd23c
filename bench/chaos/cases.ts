import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { SinkScript, SinkStage } from '#test/support/smtp-sink.ts';
import { CALENDAR_CASES } from './calendar-cases.ts';
import type { Case } from './case.ts';
import { MORE_CASES } from './more-cases.ts';
import { NOTICE_CASES } from './notice-cases.ts';
import { RELAY_CASES } from './relay-cases.ts';
import { fill, LEASE_SECONDS, type Stage, type WorkerProcess } from './stage.ts';
import { STORM_CASES } from './storm-cases.ts';

/** Kills a worker the first time the sink comes to a stage, `n` commands in. */
function killAt(stage: SinkStage, nth: number): Case {
  return {
    name: `kill -9 at ${stage} (${nth}th)`,
    play: async ({ stage: on, taken }) => {
      const worker = await startHeld(on, (script) => {
        let seen = 0;
        script((at) => {
          if (at === stage && ++seen === nth) void worker_.kill();
          return undefined;
        });
      });
      const worker_ = worker;
      await untilGone(on, worker);
      on.sink.script = () => undefined;
      await on.startWorker();
      await taken(1);
      return { bound: on.connections };
    },
  };
}

/** Starts a worker whose script is set before its first message. */
async function startHeld(
  stage: Stage,
  prepare: (script: (script: SinkScript) => void) => void,
): Promise<WorkerProcess> {
  let current: SinkScript = () => undefined;
  let open = () => undefined as void;
  const ready = new Promise<void>((resolve) => {
    open = resolve;
  });
  // The greeting waits until the worker is known.
  stage.sink.script = async (at, context) => {
    if (at === 'greeting') await ready;
    return current(at, context);
  };
  prepare((script) => {
    current = script;
  });
  const worker = await stage.startWorker();
  open();
  return worker;
}

async function untilGone(stage: Stage, worker: WorkerProcess): Promise<void> {
  for (let i = 0; i < 900; i++) {
    if (i % 20 === 0) await stage.askForSweep();
    try {
      process.kill(worker.pid, 0);
    } catch {
      return;
    }
    await delay(50);
  }
  throw new Error('the worker was not killed: the case never came to its fault');
}

/** Kills the worker as soon as the ledger shows a state. */
const killInState = (state: 'claimed' | 'handed_over'): Case => ({
  name: `kill -9 while rows are ${state}`,
  play: async ({ stage, taken }) => {
    stage.sink.script = (at) => (at === 'mail' ? delay(5, undefined) : undefined);
    const worker = await stage.startWorker();
    await stage.askForSweep();
    for (;;) {
      const { rows } = await sql`select from digest_states where state = ${state} limit 1`.execute(
        stage.database(),
      );
      if (rows.length > 0) break;
      await delay(2);
    }
    await worker.kill();
    stage.sink.script = () => undefined;
    await stage.startWorker();
    await taken(1);
    return { bound: stage.connections };
  },
});

const killRandomly: Case = {
  name: 'kill -9 at random, again and again',
  play: async ({ stage, kills, random, taken }) => {
    // Slow enough that the run outlasts the kills.
    stage.sink.script = (at) => (at === 'content' ? delay(2, undefined) : undefined);
    let made = 0;
    for (; made < kills; made++) {
      const before = stage.sink.messages.length;
      const worker = await stage.startWorker();
      await stage.askForSweep();
      const target = before + 1 + Math.floor(random() * 120);
      for (let i = 0; stage.sink.messages.length < target && i < 2_000; i++) await delay(2);
      await delay(random() * 20);
      await worker.kill();
      if (stage.sink.messages.length === before && made > 5) break;
    }
    stage.sink.script = () => undefined;
    await stage.startWorker();
    await taken(1);
    return { bound: made * stage.connections };
  },
};

const killAll: Case = {
  name: 'kill -9 of all processes at once (3 workers)',
  play: async ({ stage, taken }) => {
    const workers = await Promise.all([1, 2, 3].map(() => stage.startWorker()));
    await taken(0.3);
    await Promise.all(workers.map((worker) => worker.kill()));
    await Promise.all([1, 2, 3].map(() => stage.startWorker()));
    await taken(1);
    return { bound: 3 * stage.connections };
  },
};

const terminate: Case = {
  name: 'SIGTERM in the run, then a new worker',
  play: async ({ stage, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(3, undefined) : undefined);
    const worker = await stage.startWorker();
    await taken(0.2);
    worker.signal('SIGTERM');
    await untilGone(stage, worker);
    stage.sink.script = () => undefined;
    await stage.startWorker();
    await taken(1);
    return { bound: 0 };
  },
};

const postgresFault = (how: 'restarted' | 'killed'): Case => ({
  name: `PostgreSQL ${how}`,
  play: async ({ stage, taken }) => {
    await stage.startWorker();
    await taken(0.3);
    if (how === 'restarted') await stage.stopPostgres();
    else process.kill(await stage.postgresPid(), 'SIGKILL');
    await delay(1_000);
    await stage.startPostgres();
    await taken(1);
    return { bound: 0 };
  },
});

const redisFault = (how: 'restarted' | 'flushed' | 'killed with its worker'): Case => ({
  name: `Redis ${how}`,
  needs: 'redis',
  play: async ({ stage, taken }) => {
    const worker = await stage.startWorker();
    await taken(0.3);
    if (how === 'flushed') await stage.redis?.flush();
    else await stage.redis?.kill();
    if (how === 'killed with its worker') await worker.kill();
    await delay(1_000);
    if (how !== 'flushed') await stage.redis?.start();
    if (how === 'killed with its worker') await stage.startWorker();
    await taken(1);
    return { bound: how === 'killed with its worker' ? stage.connections : 0 };
  },
});

/** A relay that misbehaves for a share of the commands of one stage. */
const relay = (
  name: string,
  options: { at: SinkStage; answer: string; every: number; unknown: boolean },
): Case => ({
  name: `relay: ${name}`,
  play: async ({ stage, taken }) => {
    let hits = 0;
    stage.sink.script = (at, { n }) => {
      if (at !== options.at || n % options.every !== 0) return undefined;
      hits += 1;
      return options.answer;
    };
    await stage.startWorker();
    await taken(1);
    return { bound: options.unknown ? hits : 0 };
  },
});

const relayGone: Case = {
  name: 'relay: gone for ten seconds',
  play: async ({ stage, taken }) => {
    await stage.startWorker();
    await taken(0.3);
    let gone = true;
    stage.sink.script = (at) => (gone && at === 'greeting' ? 'drop' : undefined);
    stage.sink.dropAll();
    await delay(10_000);
    gone = false;
    await taken(1);
    return { bound: stage.connections };
  },
};

const relayHangs: Case = {
  name: 'relay: hangs after the dot, then drops',
  play: async ({ stage, readers, taken }) => {
    let hanging = 0;
    const enough = () => stage.sink.messages.length > readers * 0.2;
    stage.sink.script = (at, { n }) =>
      at === 'content' && n % 50 === 0 && enough() ? (hanging++, 'hang') : undefined;
    await stage.startWorker();
    await taken(0.2);
    await delay(3_000);
    const bound = hanging + stage.connections;
    stage.sink.script = () => undefined;
    stage.sink.dropAll();
    await taken(1);
    return { bound };
  },
};

const relaySlow: Case = {
  name: 'relay: slow (50 ms for every reply)',
  play: async ({ stage, taken }) => {
    stage.sink.script = () => delay(50, undefined);
    await stage.startWorker();
    await taken(0.3);
    stage.sink.script = () => undefined;
    await taken(1);
    return { bound: 0 };
  },
};

const stalled: Case = {
  name: 'a worker stopped for longer than its lease, another goes on',
  play: async ({ stage, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(3, undefined) : undefined);
    const worker = await stage.startWorker();
    await taken(0.2);
    worker.signal('SIGSTOP');
    const other = await stage.startWorker();
    await delay((LEASE_SECONDS + 5) * 1_000);
    worker.signal('SIGCONT');
    await taken(0.9);
    stage.sink.script = () => undefined;
    void other;
    await taken(1);
    return { bound: stage.connections };
  },
};

const planners: Case = {
  name: 'three planners and schedulers at once',
  unplanned: true,
  play: async ({ stage, taken }) => {
    await Promise.all([1, 2, 3].map(() => stage.startWorker()));
    await taken(1);
    return { bound: 0 };
  },
};

const unsubscribing: Case = {
  name: 'readers leave between plan and send',
  play: async ({ stage, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(2, undefined) : undefined);
    await stage.startWorker();
    await taken(0.1);
    const database = stage.database();
    await sql`
      update subscribers set state = 'unsubscribed' where id % 5 = 0 and id in (
        select subscriber_id from digest_states where state in ('planned', 'claimed'))`.execute(database);
    await delay(200);
    // Whose mail was handed over in that very moment can't be called back; nobody else may get one.
    const { rows } = await sql<{ email: string }>`
      select s.email from subscribers s join digest_states d on d.subscriber_id = s.id
      where s.state = 'unsubscribed' and d.state in ('planned', 'claimed', 'skipped')`.execute(database);
    if (rows.length === 0) throw new Error('nobody left in time: the case proves nothing');
    stage.sink.script = () => undefined;
    await taken(1);
    return { bound: 0, forbidden: new Set(rows.map((row) => row.email)) };
  },
};

/** Every case, in the order of the table. */
export const CASES: readonly Case[] = [
  ...(['mail', 'rcpt', 'data', 'inside-content', 'content'] as const).map((at) => killAt(at, 37)),
  killInState('claimed'),
  killInState('handed_over'),
  killRandomly,
  killAll,
  terminate,
  postgresFault('restarted'),
  postgresFault('killed'),
  redisFault('restarted'),
  redisFault('flushed'),
  redisFault('killed with its worker'),
  relayGone,
  relay('drops before DATA', { at: 'rcpt', answer: 'drop', every: 40, unknown: false }),
  relay('drops in the middle of DATA', { at: 'inside-content', answer: 'drop', every: 40, unknown: true }),
  relay('drops after the dot', { at: 'content', answer: 'drop', every: 40, unknown: true }),
  relayHangs,
  relay('421 now and then', { at: 'mail', answer: '421 4.3.2 going down', every: 30, unknown: false }),
  relay('450 to some', { at: 'rcpt', answer: '450 4.2.1 busy', every: 20, unknown: false }),
  relay('452 after the dot to some', { at: 'content', answer: '452 4.3.1 full', every: 20, unknown: false }),
  relay('550 5.1.1 to some', { at: 'rcpt', answer: '550 5.1.1 no such user', every: 20, unknown: false }),
  relay('garbage after the dot', { at: 'content', answer: '?!', every: 60, unknown: true }),
  relaySlow,
  stalled,
  planners,
  unsubscribing,
  ...MORE_CASES,
  ...CALENDAR_CASES,
  ...RELAY_CASES,
  ...NOTICE_CASES,
  ...STORM_CASES,
];

/** Puts a stage into the state that a case begins with. */
export async function prepare(stage: Stage, one: Case, readers: number): Promise<void> {
  await stage.killWorkers();
  stage.sink.script = () => undefined;
  await sql`truncate throttles, delivery_halts, connection_slots`.execute(stage.database());
  await fill(stage, readers, one.unplanned !== true);
  stage.sink.messages.length = 0;
  stage.sink.counts.clear();
}
