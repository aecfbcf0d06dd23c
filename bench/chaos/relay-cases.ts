import { sql } from 'kysely';
import { type SinkOptions, type SinkStage, type SmtpSink, startSmtpSink } from '#test/support/smtp-sink.ts';
import type { Case, CaseContext } from './case.ts';
import type { Stage } from './stage.ts';
import { startTlsCover } from './tls-cover.ts';

const tlsCut: Case = {
  name: 'relay: TLS, cut in the handshake, inside content and after the dot',
  play: async ({ stage, random, taken }) => {
    let hits = 0;
    stage.sink.script = (at, { n }) => {
      if (!(at === 'inside-content' && n % 60 === 0) && !(at === 'content' && n % 45 === 0)) return undefined;
      hits += 1;
      return 'drop';
    };
    const cover = await startTlsCover(stage.sink.port, () => random() < 0.3);
    try {
      await stage.startWorker({ SMTP_URL: `smtps://127.0.0.1:${cover.port}?verify=no` });
      await taken(1);
    } finally {
      await cover.close();
    }
    if (hits === 0) throw new Error('nothing was cut: the case proves nothing');
    return { bound: hits };
  },
};

/** One of two relays misbehaves for good; the other takes everything. */
const oneOfTwo = (
  name: string,
  first: SinkOptions,
  options: { unknown?: (relay: SmtpSink) => number; failed?: number } = {},
): Case => ({
  name: `one of two relays ${name}`,
  play: async ({ stage, taken }) => {
    const relay = await startSmtpSink(first);
    try {
      await stage.startWorker({ SMTP_URL: `${relay.url},${stage.sink.url}` });
      await taken(1);
      if (relay.connections.total === 0) throw new Error('it was not asked: the case proves nothing');
      const { rows } = await sql<{
        n: number;
      }>`select count(*) as n from digests where state = 'failed'`.execute(stage.database());
      const failed = rows[0]?.n ?? 0;
      if (failed > (options.failed ?? 0)) throw new Error(`${failed} readers were burnt`);
      return { bound: options.unknown?.(relay) ?? 0 };
    } finally {
      await relay.close();
    }
  },
});

const always = (at: SinkStage, answer: string): SinkOptions => ({
  script: (stage) => (stage === at ? answer : undefined),
});

/** Waits until the sink has taken so many digests, without touching anything. */
async function untilTaken(stage: Stage, count: number, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  while (stage.sink.messages.length < count) {
    if (performance.now() > end)
      throw new Error(`${stage.sink.messages.length} taken, and not ${count}, within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Connections that hang for ever must hold up no more than what is on them. */
const hangs = (name: string, at: SinkStage, unknown: boolean): Case => ({
  name: `relay: two connections hang ${name}, and the others go on`,
  play: async ({ stage, readers, taken }) => {
    let seen = 0;
    stage.sink.script = (stageOf) => (stageOf === at && [20, 60].includes(++seen) ? 'hang' : undefined);
    await stage.startWorker();
    await stage.askForSweep();
    await untilTaken(stage, readers - (unknown ? 2 : 0), 75);
    stage.sink.dropAll();
    await taken(1);
    return { bound: unknown ? 2 : 0 };
  },
});

const NOTICES = 20;

const noticesBesideHanging: Case = {
  name: 'confirmations while the connections of digests hang after the dot',
  play: async ({ stage, taken }: CaseContext) => {
    let hanging = 0;
    let open = true;
    const isDigest = (to: string) => to.startsWith('reader');
    stage.sink.script = (at, { to }) =>
      open && at === 'content' && isDigest(to) && ++hanging % 10 === 0 ? 'hang' : undefined;
    await stage.startWorker();
    await stage.askForSweep();
    await untilTaken(stage, 30, 20);
    await sql`insert into notices (kind, email, due_at, deadline)
              select 'test', 'notice' || n || '@example.org', now() - interval '1 minute', now() + interval '6 hours'
              from generate_series(1, ${NOTICES}::int) n`.execute(stage.database());
    await stage.askForSweep();
    const since = performance.now();
    const mailed = () => stage.sink.messages.filter(({ to }) => to.startsWith('notice')).length;
    while (mailed() < NOTICES) {
      if (performance.now() - since > 15_000) throw new Error(`${mailed()} of ${NOTICES} went within 15 s`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    open = false;
    const bound = Math.floor(hanging / 10);
    stage.sink.dropAll();
    await taken(1);
    return { bound };
  },
};

/** Relays that hang, lie or differ, and TLS. */
export const RELAY_CASES: readonly Case[] = [
  tlsCut,
  oneOfTwo('takes small messages only (SIZE)', { extensions: ['PIPELINING', 'SIZE 1000'] }),
  oneOfTwo('answers 451 to every MAIL', always('mail', '451 4.3.0 local error')),
  oneOfTwo('says 421 to every MAIL', always('mail', '421 4.3.2 going down')),
  oneOfTwo('rejects every recipient', always('rcpt', '550 5.1.1 nobody here'), { failed: 2 }),
  oneOfTwo('hangs up on every message', always('inside-content', 'drop'), {
    unknown: (relay) => relay.connections.total,
  }),
  oneOfTwo('never greets', always('greeting', 'hang')),
  hangs('after the dot', 'content', true),
  hangs('before the content', 'rcpt', false),
  noticesBesideHanging,
];
