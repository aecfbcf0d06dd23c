import { runningMailbox } from '#src/backing.ts';
import type { Config } from '#src/config.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';
import { type Check, type Finding, runCheck, skipped, warning } from './check.ts';
import { checkConfiguration } from './configuration.ts';
import { checkSchema, checkServer, databaseFix, type OpenedDatabase, openToLook } from './database.ts';
import { checkDelivery } from './delivery.ts';
import { checkDomains } from './domain.ts';
import { checkMachine } from './machine.ts';
import { checkPages } from './pages.ts';
import { checkPapers } from './papers.ts';
import { checkQueue } from './queue.ts';
import { checkRelay } from './relays.ts';

/**
 * Looks at everything, in the order of what depends on what. Never rejects: what breaks is a finding.
 * @param offline asks nobody but the database and the queue
 * @param onProgress told of the checks done, and of how many there are
 */
export async function examine(
  config: Config,
  offline: boolean,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<Finding[]> {
  const now = () => new Date();
  let [done, total] = [0, 0];
  const run = async (checks: readonly Check[]) => {
    total += checks.length;
    const each = checks.map(async (check) => {
      const findings = await runCheck(check);
      onProgress(++done, total);
      return findings;
    });
    return (await Promise.all(each)).flat();
  };
  const mine = run(checkMachine(config));
  const inside = examineInside(config, now, run);
  const outside = offline
    ? ['relays', 'mail domain', 'pages'].map((name) => skipped(name, 'not asked: --offline'))
    : examineOutside(config, now, run);
  return [...checkConfiguration(config), ...(await mine), ...(await inside), ...(await outside)];
}

type Run = (checks: readonly Check[]) => Promise<Finding[]>;

/** Database and queue, and what they hold. */
async function examineInside(config: Config, now: () => Date, run: Run): Promise<Finding[]> {
  const redis = config.queue.kind === 'redis' ? run([checkQueue(config.queue, now)]) : null;
  let opened: OpenedDatabase | undefined;
  const opening = openToLook(config);
  const check: Check = {
    name: 'database',
    fix: databaseFix(config),
    run: async () => {
      opened = await opening;
      return [];
    },
  };
  try {
    const [fault] = await run([check]);
    const found = opened ? await examineDatabase(config, opened, now, run) : null;
    const { server = fault ? [fault] : [], queue = [], held = skipHeld('out of reach') } = found ?? {};
    return [...server, ...((await redis) ?? queue), ...held];
  } finally {
    // Also one that was opened too late.
    await opening
      .then(async (late) => (late.type === 'open' ? late.close() : undefined))
      .catch(() => undefined);
  }
}

/** By what they are of; `queue`: of one in PostgreSQL. */
type Found = Readonly<Record<'server' | 'queue' | 'held', readonly Finding[]>>;

async function examineDatabase(
  config: Config,
  opened: OpenedDatabase,
  now: () => Date,
  run: Run,
): Promise<Found> {
  if (opened.type === 'absent') {
    const server = [
      warning('database', 'the embedded one is not made yet', 'the first `paperboy start` makes it'),
    ];
    return { server, queue: [], held: skipHeld('not there yet') };
  }
  const { database, url } = opened;
  const server = await run([checkServer(config, opened, now)]);
  if (!isWell(server, 'database')) return { server, queue: [], held: skipHeld('out of reach') };
  const [schema, queue] = await Promise.all([
    run([checkSchema(config, database, now)]),
    config.queue.kind === 'postgres' ? run([checkQueue({ kind: 'postgres', url }, now)]) : [],
  ]);
  const held = isWell(schema, 'schema')
    ? await run([checkDelivery(config, database, now), checkPapers(config, database, now)])
    : skipHeld('not migrated');
  return { server: [...server, ...schema], queue, held };
}

const isWell = (findings: readonly Finding[], name: string) =>
  findings.every(({ check, state }) => check !== name || state === 'ok');

const skipHeld = (why: string) =>
  ['delivery', 'papers'].map((name) => skipped(name, `the database is ${why}`));

/** What others run: relays, the DNS, the proxy before the pages. */
async function examineOutside(config: Config, now: () => Date, run: Run): Promise<Finding[]> {
  if (config.mail.kind === 'mailbox') {
    const running = await runningMailbox(config);
    const mailbox = warning(
      'relays',
      running
        ? `the local mailbox (inbox ${running.webUrl}): no mail leaves this machine`
        : 'the local mailbox of `paperboy start`, which does not run: no mail leaves this machine',
      'enough for a trial; to mail anybody set SMTP_URL',
    );
    return [
      mailbox,
      ...(await run([...checkRelays(running ? [running.smtpUrl] : [], now), checkPages(config)])),
    ];
  }
  return run([...checkRelays(config.mail.urls, now), ...checkDomains(config), checkPages(config)]);
}

/** Of the relays that can be read; the others are faults of the configuration. */
const checkRelays = (urls: readonly string[], now: () => Date): Check[] =>
  urls.flatMap((url) => {
    try {
      return [checkRelay(parseRelay(url), now)];
    } catch {
      return [];
    }
  });
