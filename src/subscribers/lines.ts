import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { parseTopic } from '#src/topics/parse-topic.ts';
import { type CatalogueTopic, FOLLOW_WEIGHT, type Follow } from '#src/topics/topic.ts';
import { type Address, type AddressPolicy, describeAddressFault, parseAddress } from './address.ts';
import type { Frequency } from './subscriber.ts';
import { parseZone } from './zones.ts';

const Tie = Type.Object(
  {
    kind: Type.String(),
    value: Type.String({ maxLength: 1000 }),
    weight: Type.Optional(Type.Number(FOLLOW_WEIGHT)),
  },
  { additionalProperties: false },
);

/** One line of a file of subscribers. */
export const SubscriberLine = Type.Object(
  {
    email: Type.String({ maxLength: 320 }),
    timezone: Type.Optional(Type.String()),
    hour: Type.Optional(Type.Integer({ minimum: 0, maximum: 23 })),
    frequency: Type.Optional(
      Type.Union([Type.Literal('daily'), Type.Literal('weekdays'), Type.Literal('weekly')]),
    ),
    follows: Type.Optional(Type.Array(Tie, { maxItems: 500 })),
    mutes: Type.Optional(Type.Array(Tie, { maxItems: 500 })),
  },
  { additionalProperties: false },
);

/** See {@link SubscriberLine}. */
export type SubscriberLine = Static<typeof SubscriberLine>;

/** A line that was understood; `follows` holds the mutes too, with negative weights. */
export type NewSubscriber = {
  readonly address: Address;
  readonly timezone: string;
  readonly hour: number;
  readonly frequency: Frequency;
  readonly follows: readonly Follow[];
};

/** What is wrong with a line: each message names the field. `line` counts from 1. */
export type LineFault = { readonly line: number; readonly message: string };

/** What parsing needs to know of the installation. */
export type LineContext = {
  readonly policy: AddressPolicy;
  /** Schedule of lines that name none. */
  readonly defaults: { readonly timezone: string; readonly hour: number };
  readonly catalogue?: readonly CatalogueTopic[];
};

const checker = Compile(SubscriberLine);

/** Reads one line of JSON: a subscriber, or everything that is wrong with it. */
export function parseSubscriberLine(
  text: string,
  context: LineContext,
):
  | { readonly type: 'ok'; readonly subscriber: NewSubscriber }
  | { readonly type: 'faults'; readonly messages: string[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { type: 'faults', messages: [`not JSON: ${(error as Error).message}`] };
  }
  return parseSubscriberValue(value, context);
}

/** The same for a value that is parsed already (API). */
export function parseSubscriberValue(
  value: unknown,
  context: LineContext,
): ReturnType<typeof parseSubscriberLine> {
  if (!checker.Check(value)) {
    const messages = checker
      .Errors(value)
      .map((error) => `${error.instancePath.slice(1) || 'line'}: ${error.message}`);
    return { type: 'faults', messages: [...new Set(messages)].slice(0, 10) };
  }
  const messages: string[] = [];
  const parsed = parseAddress(value.email, context.policy);
  if (parsed.type !== 'ok') messages.push(`email: ${describeAddressFault(parsed)}`);
  const timezone = parseZone(value.timezone ?? context.defaults.timezone);
  if (!timezone) messages.push(`timezone: "${value.timezone}" is no IANA time zone such as Europe/Berlin`);
  const follows = [
    ...parseTies('follows', value.follows ?? [], 1, context, messages),
    ...parseTies('mutes', value.mutes ?? [], -1, context, messages),
  ];
  if (parsed.type !== 'ok' || !timezone || messages.length > 0) return { type: 'faults', messages };
  const { hour = context.defaults.hour, frequency = 'daily' } = value;
  return { type: 'ok', subscriber: { address: parsed.address, timezone, hour, frequency, follows } };
}

function parseTies(
  field: string,
  ties: readonly Static<typeof Tie>[],
  sign: 1 | -1,
  context: LineContext,
  messages: string[],
): Follow[] {
  return ties.flatMap((tie, i) => {
    const parsed = parseTopic(tie.kind, tie.value, context.catalogue);
    if (parsed.type === 'ok') return [{ ...parsed.topic, weight: sign * (tie.weight ?? 1) }];
    messages.push(`${field}[${i}]: ${parsed.message}`);
    return [];
  });
}

/** Reads a file of lines; empty lines are passed over. */
export function parseSubscriberLines(text: string, context: LineContext) {
  const subscribers: (NewSubscriber & { readonly line: number })[] = [];
  const faults: LineFault[] = [];
  for (const [i, row] of text.split('\n').entries()) {
    if (row.trim() === '') continue;
    const parsed = parseSubscriberLine(row, context);
    if (parsed.type === 'ok') subscribers.push({ ...parsed.subscriber, line: i + 1 });
    else faults.push(...parsed.messages.map((message) => ({ line: i + 1, message })));
  }
  return { subscribers, faults };
}
