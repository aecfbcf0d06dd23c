import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { nextDigestAt } from '#src/subscribers/schedule.ts';
import type { Case, CaseContext } from './case.ts';
import type { Stage, WorkerProcess } from './stage.ts';

const HOUR = 3_600_000;

/** The environment of a worker whose clock starts at `start` (null: right) and is shifted by each SIGWINCH. */
const shifting = (start: string | null, shifts: readonly number[]) => ({
  NODE_OPTIONS: `--import=${new URL('./shifting-clock.mjs', import.meta.url).href}`,
  CHAOS_CLOCK: JSON.stringify({ start, shifts }),
});

const shift = (workers: readonly WorkerProcess[]) => {
  for (const worker of workers) worker.signal('SIGWINCH');
};

const clockOfWorkers: Case = {
  name: 'clock of the workers set forth and back by an hour',
  play: async ({ stage, taken }) => {
    stage.sink.script = (at) => (at === 'content' ? delay(10, undefined) : undefined);
    const clock = shifting(null, [0, HOUR, 0, -HOUR]);
    const workers = await Promise.all([1, 2].map(() => stage.startWorker(clock)));
    await taken(0.2);
    shift(workers);
    await taken(0.5);
    shift(workers);
    await taken(0.7);
    shift(workers);
    await taken(1);
    return { bound: 0 };
  },
};

/** Half of the readers are due now, the others in half an hour: an hour ahead they are due too, an hour back nobody is. */
const clockOfPlanners: Case = {
  name: 'clock of planners and workers set forth and back by an hour',
  unplanned: true,
  play: async ({ stage, readers, taken }) => {
    const dueIn = (half: number, interval: string) =>
      sql`update schedules set next_digest_at = now() + ${interval}::interval
          where subscriber_id % 2 = ${half}::int`.execute(stage.database());
    await dueIn(0, '1 day');
    await dueIn(1, '1 day');
    const clock = shifting(null, [0, -HOUR, 0, -HOUR, HOUR]);
    const workers = await Promise.all([1, 2, 3].map(() => stage.startWorker(clock)));
    await papersRead(stage);
    await dueIn(0, '30 minutes');
    await dueIn(1, '-1 minute');
    await stage.ask('plan');
    await taken(0.3);
    for (let i = 0; i < 4; i++) {
      shift(workers);
      await stage.ask('plan');
      await delay(1_500);
      await stage.ask('plan');
    }
    await untilMailed(stage, readers);
    await taken(1);
    return { bound: 0 };
  },
};

/** Whoever is planned before there are papers gets no digest at all. */
async function papersRead(stage: Stage): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const { rows } = await sql`select from listings limit 1`.execute(stage.database());
    if (rows.length > 0) return;
    await delay(100);
  }
  throw new Error('no papers were read');
}

/** Readers of three zones due at the hours around a change of the clocks; the workers' own time passes over it. */
const daylightSaving = (name: string, start: string, hours: readonly [string, number][]): Case => ({
  name,
  unplanned: true,
  play: async (context) => {
    const { stage, readers } = context;
    await moveTo(stage, start, hours);
    // Right before the change, then through it in steps of half an hour, each planned twice by two processes.
    const clock = shifting(
      start,
      Array.from({ length: 8 }, (_, i) => (i * HOUR) / 2),
    );
    const workers = await Promise.all([1, 2].map(() => stage.startWorker(clock)));
    try {
      for (let i = 0; i < 7; i++) {
        await Promise.all([stage.ask('plan'), stage.ask('plan')]);
        await delay(700);
        shift(workers);
      }
      await untilMailed(stage, readers);
      await settled(context);
      return { bound: 0 };
    } finally {
      await sql`update papers set first_listed_on = ${stage.edition}::date`.execute(stage.database());
    }
  },
});

/** Gives readers zones and hours in turn, and moves papers and next hours to where the workers' clock will be. */
async function moveTo(stage: Stage, start: string, hours: readonly [string, number][]): Promise<void> {
  const database = stage.database();
  await sql`update papers set first_listed_on = ${start.slice(0, 10)}::date`.execute(database);
  for (const [n, [timezone, hour]] of hours.entries()) {
    const schedule = { timezone, hour, frequency: 'daily', weekdays: 127 } as const;
    await sql`
      with moved as (
        update subscribers set timezone = ${timezone}, hour = ${hour}
        where id % ${hours.length}::int = ${n}::int returning id
      ) update schedules set next_digest_at = ${nextDigestAt(schedule, new Date(start))}
        from moved where subscriber_id = id`.execute(database);
  }
}

/** Waits until every reader's digest is planned and mailed. */
async function untilMailed(stage: Stage, readers: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (i % 10 === 0) await stage.ask('plan');
    if (i % 10 === 5) await stage.askForSweep();
    if (new Set(stage.sink.messages.map((message) => message.to)).size >= readers) return;
    await delay(200);
  }
  throw new Error(`only ${stage.sink.messages.length} of ${readers} were mailed\n${stage.lastWords()}`);
}

/** One more look: whoever was planned a second time would be mailed now. */
async function settled({ stage, taken }: CaseContext): Promise<void> {
  await stage.ask('plan');
  await delay(1_000);
  await taken(1);
}

/** Cases about the clock and the calendar. */
export const CALENDAR_CASES: readonly Case[] = [
  clockOfWorkers,
  clockOfPlanners,
  daylightSaving('summer time begins in the run (2027-03-28)', '2027-03-28T00:10:00Z', [
    ['Europe/Berlin', 2],
    ['Europe/Berlin', 3],
    ['UTC', 1],
  ]),
  daylightSaving('summer time ends in the run (2027-10-31)', '2027-10-30T23:40:00Z', [
    ['Europe/Berlin', 2],
    ['Europe/Berlin', 3],
    ['Europe/London', 1],
  ]),
];
