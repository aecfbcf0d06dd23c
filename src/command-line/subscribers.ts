import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import type { SubscriberId } from '#src/database/ids.ts';
import { addressKey } from '#src/subscribers/lifecycle.ts';
import { type NewSubscriber, parseSubscriberLines, parseSubscriberValue } from '#src/subscribers/lines.ts';
import { findSubscriber, listSubscribers, type StoredSubscriber } from '#src/subscribers/subscriber-store.ts';
import type { Follow } from '#src/topics/topic.ts';
import { CommandError, type Io, startProgress, table } from './io.ts';
import { type CommandContext, withServices } from './with-services.ts';

const DEFAULTS = { timezone: 'UTC', hour: 7 };

/** `paperboy subscriber add | list | show | remove` */
export function registerSubscribers(program: Command, io: Io): void {
  const group = program.command('subscriber').description('Add, list, show and remove subscribers');
  registerAdd(group, io);
  group
    .command('list')
    .description('List subscribers, oldest first')
    .addOption(new Option('--state <state>').choices(['pending', 'active', 'paused', 'unsubscribed']))
    .option('--json', 'one JSON object a line')
    .action((options: { state?: StoredSubscriber['state']; json?: boolean }) => list(io, options));
  group
    .command('show')
    .description('Show one subscriber: preferences, follows, mutes, feedback')
    .requiredOption('--email <address>')
    .option('--json')
    .action((options: { email: string; json?: boolean }) => show(io, options));
  group
    .command('remove')
    .description('Unsubscribe an address; with --erase delete everything that names the person')
    .requiredOption('--email <address>')
    .option(
      '--erase',
      'erase instead of unsubscribing; a keyed hash stays, so that the address is not mailed again',
    )
    .option('--json')
    .action((options: { email: string; erase?: boolean; json?: boolean }) => remove(io, options));
}

type AddOptions = {
  email?: string;
  timezone?: string;
  hour?: string;
  frequency?: string;
  follow?: string[];
  mute?: string[];
  file?: string;
  consent: string;
  json?: boolean;
};

function registerAdd(group: Command, io: Io): void {
  group
    .command('add')
    .description('Add subscribers who have consented, without a confirmation mail')
    .option('--email <address>')
    .option('--timezone <zone>', `IANA time zone (default ${DEFAULTS.timezone})`)
    .option('--hour <hour>', `local hour, 0–23 (default ${DEFAULTS.hour})`)
    .option('--frequency <frequency>', 'daily | weekdays | weekly (default daily)')
    .option(
      '--follow <kind:value...>',
      'what to follow: category:cs.CL, query:"diffusion models", author:…, topic:…, paper:…',
    )
    .option('--mute <kind:value...>', 'what to mute')
    .option(
      '--file <file>',
      'JSON lines {"email","timezone","hour","frequency","follows","mutes"}; - for standard input',
    )
    .option('--consent <text>', 'where their consent is from; kept with the audit', 'added by the operator')
    .option('--json', 'print {"added", "exists", "suppressed", "faults"}')
    .action((options: AddOptions) => add(io, options));
}

async function add(io: Io, options: AddOptions): Promise<void> {
  if ((options.email === undefined) === (options.file === undefined))
    throw new CommandError('Give either --email ADDRESS or --file FILE.');
  await withServices(async ({ topics, subscribers }) => {
    const context = {
      policy: { refuseRoles: false, refusedDomains: new Set<string>() },
      defaults: DEFAULTS,
      catalogue: await topics.catalogue(),
    };
    const parsed =
      options.file !== undefined
        ? parseSubscriberLines(await readText(options.file), context)
        : fromFlags(options, context);
    const progress = startProgress(io, 'subscribers');
    const report = await subscribers.addSubscribers(parsed.subscribers, options.consent, {
      onProgress: (done) => progress.update(done, parsed.subscribers.length),
    });
    progress.stop();
    for (const fault of parsed.faults) io.err(`line ${fault.line}: ${fault.message}`);
    const { added, exists, suppressed } = report;
    if (options.json) io.out(JSON.stringify({ added, exists, suppressed, faults: parsed.faults }));
    else
      io.out(
        `${added.length} added, ${exists.length} known already, ${suppressed.length} suppressed, ${parsed.faults.length} faults`,
      );
    if (parsed.faults.length > 0 || (options.email !== undefined && added.length === 0)) process.exitCode = 1;
  });
}

/** The flags as the line of a file would say them, so that both are checked alike. */
function fromFlags(options: AddOptions, context: Parameters<typeof parseSubscriberValue>[1]) {
  const line = {
    email: options.email,
    ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
    ...(options.hour === undefined ? {} : { hour: Number(options.hour) }),
    ...(options.frequency === undefined ? {} : { frequency: options.frequency }),
    follows: (options.follow ?? []).map(toTie),
    mutes: (options.mute ?? []).map(toTie),
  };
  const parsed = parseSubscriberValue(line, context);
  return parsed.type === 'ok'
    ? { subscribers: [parsed.subscriber] as NewSubscriber[], faults: [] }
    : {
        subscribers: [] as NewSubscriber[],
        faults: parsed.messages.map((message) => ({ line: 1, message })),
      };
}

function toTie(text: string): { kind: string; value: string } {
  const colon = text.indexOf(':');
  return colon < 0 ? { kind: text, value: '' } : { kind: text.slice(0, colon), value: text.slice(colon + 1) };
}

async function readText(file: string): Promise<string> {
  try {
    return await text(file === '-' ? process.stdin : createReadStream(file));
  } catch (error) {
    throw new CommandError(`${file} can't be read: ${(error as Error).message}`);
  }
}

async function list(io: Io, options: { state?: StoredSubscriber['state']; json?: boolean }): Promise<void> {
  await withServices(async ({ backing }) => {
    const rows: StoredSubscriber[] = [];
    for (let after = 0; ; ) {
      const page = await listSubscribers(backing.database, {
        after,
        limit: 1000,
        ...(options.state ? { state: options.state } : {}),
      });
      if (options.json) for (const one of page) io.out(JSON.stringify(one));
      else rows.push(...page);
      if (page.length < 1000) break;
      after = page.at(-1)?.id ?? after;
    }
    if (options.json) return;
    io.out(
      table(
        rows.map(({ email, state, frequency, hour, timezone, nextDigestAt }) => ({
          email,
          state,
          frequency,
          hour,
          timezone,
          next: nextDigestAt,
        })),
      ),
    );
  });
}

async function find({ backing }: CommandContext, email: string): Promise<StoredSubscriber> {
  const found = await findSubscriber(backing.database, { emailKey: addressKey(email) });
  if (!found) throw new CommandError(`Nobody is subscribed as ${email}.`);
  return found;
}

async function show(io: Io, options: { email: string; json?: boolean }): Promise<void> {
  await withServices(async (context) => {
    const subscriber = await find(context, options.email);
    const { follows, mutes } = await context.subscribers.followsOf(subscriber.id as SubscriberId);
    const feedback = await context.subscribers.feedbackOf(subscriber.id as SubscriberId);
    if (options.json) return io.out(JSON.stringify({ ...subscriber, follows, mutes, feedback }));
    const ties = (all: readonly Follow[]) =>
      all
        .map(
          ({ kind, value, weight }) =>
            `${kind}:${value}${Math.abs(weight) === 1 ? '' : ` × ${Math.abs(weight)}`}`,
        )
        .join(', ') || '(none)';
    const counts = `${feedback.likes.length} more, ${feedback.dislikes.length} less, ${feedback.notNow.length} not now`;
    const rows = { ...subscriber, follows: ties(follows), mutes: ties(mutes), feedback: counts };
    io.out(table(Object.entries(rows).map(([field, value]) => ({ field, value }))));
  });
}

async function remove(io: Io, options: { email: string; erase?: boolean; json?: boolean }): Promise<void> {
  await withServices(async (context) => {
    const { publicId, linkEpoch } = await find(context, options.email);
    const who = { publicId, epoch: linkEpoch };
    const visit = { ip: null, userAgent: 'command line' };
    const outcome = options.erase
      ? await context.subscribers.erase(who, visit)
      : await context.subscribers.unsubscribe(who, 'operator', visit);
    if (options.json) io.out(JSON.stringify(outcome));
    else io.out(options.erase ? `${options.email} is erased.` : `${options.email} is unsubscribed.`);
  });
}
