import type { ChildProcess } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { startSmtpSink } from '#test/support/smtp-sink.ts';
import type { Case } from './case.ts';
import { IN_CONTAINER, startIdleContainer } from './container.ts';
import { startCuttingProxy } from './cutting-proxy.ts';
import type { Stage, WorkerProcess } from './stage.ts';

/** Waits for the end of a process; answers the seconds it took. */
async function secondsUntilGone(worker: WorkerProcess): Promise<number> {
  const start = performance.now();
  for (;;) {
    try {
      process.kill(worker.pid, 0);
    } catch {
      return (performance.now() - start) / 1000;
    }
    await delay(20);
  }
}

const databaseCut: Case = {
  name: 'connections to the database cut at random, before or after a statement',
  play: async ({ stage, random, taken }) => {
    const url = new URL(stage.databaseUrl());
    const proxy = await startCuttingProxy(Number(url.port), random);
    try {
      url.port = String(proxy.port);
      stage.sink.script = (at) => (at === 'content' ? delay(3, undefined) : undefined);
      await stage.startWorker({ DATABASE_URL: url.href });
      proxy.chance = 0.03;
      for (let i = 0; i < 40 && proxy.cuts < 40; i++) {
        await stage.askForSweep();
        await delay(250);
      }
      if (proxy.cuts === 0) throw new Error('nothing was cut: the case proves nothing');
      proxy.chance = 0;
      stage.sink.script = () => undefined;
      await taken(1);
      return { bound: 0 };
    } finally {
      await proxy.close();
    }
  },
};

const backendsEnded: Case = {
  name: 'sessions of the database ended at random (pg_terminate_backend)',
  play: async ({ stage, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(3, undefined) : undefined);
    await stage.startWorker();
    await stage.askForSweep();
    for (let i = 0; i < 50; i++) {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
                where application_name like 'paperboy%' and pid <> pg_backend_pid() and random() < 0.3`
        .execute(stage.database())
        .catch(() => undefined);
      await delay(100);
    }
    stage.sink.script = () => undefined;
    await taken(1);
    return { bound: 0 };
  },
};

const diskFull: Case = {
  name: 'disk of PostgreSQL full for ten seconds',
  needs: 'small-disk',
  play: async ({ stage, taken }) => {
    const disk = stage.disk as string;
    stage.sink.script = (at) => (at === 'content' ? delay(10, undefined) : undefined);
    await stage.startWorker();
    await taken(0.2);
    const filler = join(disk, 'filler');
    await fillUp(filler);
    const refused =
      await sql`create table fills_the_disk as select repeat(md5(n::text), 100) from generate_series(1, 100000) n`
        .execute(stage.database())
        .then(
          () => false,
          () => true,
        );
    if (!refused) throw new Error('the disk was not full: the case proves nothing');
    await delay(10_000);
    await rm(filler);
    // A log (WAL) that can't be written stops the server; the operator starts it again.
    const stopped = await sql`select 1`.execute(stage.database()).then(
      () => false,
      () => true,
    );
    if (stopped) await stage.startPostgres();
    stage.sink.script = () => undefined;
    await taken(1);
    return { bound: 0 };
  },
};

/** Writes until nothing more fits. */
async function fillUp(file: string): Promise<void> {
  const piece = Buffer.alloc(1 << 20);
  for (let size = piece.length; size >= 4_096; ) {
    try {
      await writeFile(file, piece.subarray(0, size), { flag: 'a' });
    } catch {
      size /= 2;
    }
  }
}

const relayHangsAtStop: Case = {
  name: 'SIGTERM while the relay hangs after the dot (SHUTDOWN_SECONDS=5)',
  play: async ({ stage, readers, taken }) => {
    let hanging = 0;
    stage.sink.script = (at) =>
      at === 'content' && stage.sink.messages.length > readers * 0.3 ? (hanging++, 'hang') : undefined;
    const worker = await stage.startWorker({ SHUTDOWN_SECONDS: '5' });
    await taken(0.25);
    await delay(1_000);
    worker.signal('SIGTERM');
    const seconds = await secondsUntilGone(worker);
    if (seconds > 5.5) throw new Error(`it ended after ${seconds} s, not within 5`);
    const bound = hanging;
    stage.sink.script = () => undefined;
    await stage.startWorker();
    await taken(1);
    return { bound };
  },
};

const twoSignals: Case = {
  name: 'SIGTERM twice at once',
  play: async ({ stage, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(20, undefined) : undefined);
    const worker = await stage.startWorker();
    await taken(0.2);
    worker.signal('SIGTERM');
    await delay(20);
    worker.signal('SIGTERM');
    await secondsUntilGone(worker);
    stage.sink.script = () => undefined;
    await stage.startWorker();
    await taken(1);
    return { bound: stage.connections };
  },
};

/** Rows that one process may have handed over at once: two jobs, two windows each. */
const WINDOWS = 2 * 200;

const machinesOfTheirOwn: Case = {
  name: 'kill -9 of a machine’s only worker, its DATA_DIR lost, three times',
  play: async ({ stage, readers, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(4, undefined) : undefined);
    const kills = 3;
    for (let i = 0; i < kills; i++) {
      const worker = await stage.startWorker({ DATA_DIR: join(stage.folder, `machine-${i}`) });
      await taken(Math.min(0.9, (stage.sink.messages.length + 30) / readers));
      await worker.kill();
    }
    stage.sink.script = () => undefined;
    await stage.startWorker({ DATA_DIR: join(stage.folder, 'machine-last') });
    await taken(1);
    return { bound: kills * WINDOWS };
  },
};

const containers: Case = {
  name: 'kill -9 of a machine’s only container, its DATA_DIR kept, three times',
  needs: 'container',
  play: async ({ stage, readers, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(4, undefined) : undefined);
    const kills = 3;
    const idle: ChildProcess[] = [];
    for (let i = 0; i < kills; i++) {
      const worker = await stage.startWorker({}, IN_CONTAINER);
      await taken(Math.min(0.9, (stage.sink.messages.length + 30) / readers));
      await worker.kill();
      // The next one gets another namespace.
      idle.push(startIdleContainer());
      await delay(200);
    }
    stage.sink.script = () => undefined;
    await stage.startWorker({}, IN_CONTAINER);
    await taken(1);
    for (const process of idle) process.kill('SIGKILL');
    return { bound: kills * stage.connections };
  },
};

const halted: Case = {
  name: 'relay: refuses us as a sender for a while; three workers, one alarm',
  play: async ({ stage, taken }) => {
    let refusals = 0;
    stage.sink.script = (at) => (at === 'mail' ? (refusals++, '550 5.7.1 you are blocked') : undefined);
    const workers = await Promise.all([1, 2, 3].map(() => stage.startWorker()));
    for (let i = 0; i < 8; i++) {
      await stage.askForSweep();
      await delay(500);
    }
    const seen = refusals;
    await stage.askForSweep();
    await delay(2_000);
    const alarms = workers.filter((worker) => worker.output().includes('refuses us as a sender: all')).length;
    if (alarms !== 1) throw new Error(`${alarms} alarms`);
    if (refusals > seen) throw new Error('the run went on although it was halted');
    stage.sink.script = () => undefined;
    await sql`update delivery_halts set next_probe_at = clock_timestamp()`.execute(stage.database());
    await taken(1);
    return { bound: 0 };
  },
};

const oneRelayDies: Case = {
  name: 'one of two relays dies in the run, for good',
  play: async ({ stage, taken }) => {
    const dying = await startSmtpSink({
      script: (at) => (at === 'content' ? delay(2, undefined) : undefined),
    });
    try {
      stage.sink.script = (at) => (at === 'content' ? delay(2, undefined) : undefined);
      await stage.startWorker({ SMTP_URL: `${dying.url}?weight=3,${stage.sink.url}` });
      await taken(0.1);
      const bound = dying.connections.open;
      await dying.close();
      stage.sink.messages.push(...dying.messages.splice(0));
      stage.sink.script = () => undefined;
      await taken(1);
      return { bound };
    } finally {
      await dying.close().catch(() => undefined);
    }
  },
};

/** Readers go in every way there is while their digests wait: by id, one in ten each. */
const goneInEveryWay: Case = {
  name: 'readers pause, are erased, or move to another address between plan and send',
  play: async ({ stage, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(3, undefined) : undefined);
    await stage.startWorker();
    await taken(0.1);
    const database = stage.database();
    const { rows: before } = await sql<{ id: number; email: string }>`
      select id, email from subscribers where id % 10 < 3`.execute(database);
    await leaveInEveryWay(stage);
    await delay(200);
    // Whose mail was handed over in that very moment can't be called back.
    const { rows: waiting } = await sql<{ id: number; state: string }>`
      select d.subscriber_id as id, coalesce(s.state, 'erased') as state
      from digest_states d left join subscribers s on s.id = d.subscriber_id
      where d.state in ('planned', 'claimed', 'skipped') and d.subscriber_id % 10 < 3
        and (s.id is null or s.state <> 'active' or s.email like 'new-%')`.execute(database);
    if (waiting.length === 0) throw new Error('nobody left in time: the case proves nothing');
    stage.sink.script = () => undefined;
    await taken(1);
    const mailed = new Set(stage.sink.messages.map((message) => message.to));
    const missed = waiting.filter(
      (row) => row.state === 'active' && !mailed.has(`new-${row.id}@example.org`),
    );
    if (missed.length > 0) throw new Error(`${missed.length} who moved were not mailed`);
    const gone = new Set(waiting.map((row) => row.id));
    // Who moved while the mail was on its way has it at the old address: the judge looks there.
    for (const row of before.filter(({ id, email }) => !gone.has(id) && mailed.has(email)))
      await sql`update subscribers set email = ${row.email} where id = ${row.id}`.execute(database);
    const left = before.filter((row) => gone.has(row.id)).map((row) => row.email);
    const wrong = left.filter((email) => mailed.has(email));
    if (wrong.length > 0) throw new Error(`${wrong.length} were mailed at an address they had left`);
    return { bound: 0 };
  },
};

async function leaveInEveryWay(stage: Stage): Promise<void> {
  const waiting = sql`id in (select subscriber_id from digest_states where state in ('planned', 'claimed'))`;
  const database = stage.database();
  await sql`update subscribers set state = 'paused' where id % 10 = 0 and ${waiting}`.execute(database);
  // As `erase` leaves the row.
  await sql`update subscribers set state = 'unsubscribed', email = null, email_key = null
            where id % 10 = 1 and ${waiting}`.execute(database);
  await sql`update subscribers set email = 'new-' || id || '@example.org', email_key = 'new-' || id || '@example.org'
            where id % 10 = 2 and ${waiting}`.execute(database);
}

/** Faults that were added after those of cases.ts. */
export const MORE_CASES: readonly Case[] = [
  databaseCut,
  backendsEnded,
  diskFull,
  relayHangsAtStop,
  twoSignals,
  machinesOfTheirOwn,
  containers,
  halted,
  oneRelayDies,
  goneInEveryWay,
];
