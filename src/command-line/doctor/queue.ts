import type { QueueBackend } from '#src/queue/backend.ts';
import { type LaneLook, lookAtQueue, type QueueLook, type ScheduleLook } from '#src/queue/look.ts';
import { type RedisFacts, readRedisFacts } from '#src/queue/redis-facts.ts';
import { type Check, count, duration, type Finding, failed, ok, size, warning } from './check.ts';

const ANSWER_MS = 8_000;
const START = 'run `paperboy start`, or `paperboy worker`';

/** Not a failure: whoever opens the queue makes them. */
const NO_TABLES = warning(
  'queue',
  'in PostgreSQL, whose tables of it are not made yet',
  '`paperboy migrate` makes them, as does the first start',
);

/** The queue's backend, its workers, what waits in it, and whether the beat goes. */
export const checkQueue = (backend: QueueBackend, now: () => Date): Check => ({
  name: 'queue',
  fix:
    backend.kind === 'redis'
      ? 'REDIS_URL: is it running, and are host, port and password right?'
      : 'DATABASE_URL: may its role read the schema bullmq, and is it of this version of Paperboy?',
  run: async () => {
    const where =
      backend.kind === 'redis'
        ? judgeRedis(await readRedisFacts(backend.url, ANSWER_MS))
        : [ok('queue', 'in PostgreSQL')];
    const look = await lookAtQueue({ ...backend, answerMs: ANSWER_MS });
    return look ? [...where, ...judgeQueue(look, now())] : [NO_TABLES];
  },
});

/** What a restart of Redis does to the jobs. */
const PERSISTENCE = {
  'append-only file': 'keeps jobs (append-only file)',
  snapshots: 'keeps jobs (snapshots)',
  none: 'keeps nothing over a restart (the sweep makes the jobs again)',
} as const;

/** Redis must never throw jobs away to make room. That it forgets all in a restart is no harm: the ledger knows. */
export function judgeRedis(facts: RedisFacts): Finding[] {
  const { version, evictionPolicy, memoryLimit, memoryUsed, persistence, snapshotFailed } = facts;
  const memory = memoryLimit > 0 ? `${size(memoryUsed)} of ${size(memoryLimit)}` : size(memoryUsed);
  const seen = `Redis ${version}, ${memory} used, ${evictionPolicy}, ${PERSISTENCE[persistence]}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const findings: Finding[] = [];
  if (major < 6 || (major === 6 && minor < 2))
    findings.push(failed('queue', seen, 'REDIS_URL: Redis 6.2 or newer is needed'));
  if (evictionPolicy !== 'noeviction')
    findings.push(
      failed('queue', seen, 'set `maxmemory-policy noeviction` in redis.conf: with another one jobs vanish'),
    );
  if (memoryLimit > 0 && memoryUsed > 0.9 * memoryLimit)
    findings.push(warning('queue', seen, "raise Redis' maxmemory: when it is full no job can be added"));
  if (snapshotFailed)
    findings.push(
      warning(
        'queue',
        `${seen}; its last snapshot failed`,
        "look at Redis' log: it may refuse writes until one succeeds (disk full?)",
      ),
    );
  return findings.length > 0 ? findings : [ok('queue', seen)];
}

/** Workers and their beat. */
export function judgeQueue({ lanes, schedules }: QueueLook, now: Date): Finding[] {
  return [
    judgeWorkers(lanes),
    judgeBeat(
      schedules,
      now,
      lanes.every(({ workers }) => workers === 0),
    ),
  ];
}

function judgeWorkers(lanes: readonly LaneLook[]): Finding {
  const waiting = lanes.map(({ lane, waiting, active }) => `${lane} ${waiting + active}`).join(', ');
  const failures = lanes.reduce((sum, lane) => sum + lane.failed, 0);
  const jobs = `jobs: ${waiting}${failures > 0 ? `, failed lately ${failures}` : ''}`;
  const known = lanes.flatMap(({ workers }) => (workers === null ? [] : [workers]));
  if (known.length === 0) return ok('workers', `the server does not tell who is connected; ${jobs}`);
  const fewest = Math.min(...known);
  return fewest > 0
    ? ok('workers', `${count(fewest, 'worker')} connected; ${jobs}`)
    : warning('workers', `none is connected: nothing is planned or mailed; ${jobs}`, START);
}

/** What the day depends on. */
const BEAT = ['plan', 'sweep', 'ingest', 'upkeep'];

function judgeBeat(schedules: readonly ScheduleLook[], now: Date, isIdle: boolean): Finding {
  const known = schedules.filter(({ name }) => BEAT.includes(name));
  const ago = (schedule: ScheduleLook) =>
    Math.max(0, now.getTime() - schedule.nextAt.getTime() + schedule.everyMs);
  const missing = BEAT.filter((name) => !known.some((schedule) => schedule.name === name));
  if (missing.length > 0)
    return warning('scheduler', `never scheduled: ${missing.join(', ')}`, `${START}, which schedules them`);
  const seen = known
    .toSorted((one, other) => BEAT.indexOf(one.name) - BEAT.indexOf(other.name))
    .map((schedule) => `${schedule.name} ${duration(ago(schedule))}`)
    .join(', ');
  const late = known.filter((schedule) => ago(schedule) > 3 * schedule.everyMs + 60_000);
  if (late.length === 0) return ok('scheduler', `last runs before: ${seen}`);
  return isIdle
    ? warning('scheduler', `stands still, last runs before: ${seen}`, START)
    : failed(
        'scheduler',
        `stands still although workers are connected, last runs before: ${seen}`,
        'look at the log of the workers and restart them',
      );
}
