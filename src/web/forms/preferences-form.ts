import { type Static, Type } from 'typebox';
import type { Preferences } from '#src/subscribers/subscriber.ts';
import { parseZone } from '#src/subscribers/zones.ts';
import { parseTopic } from '#src/topics/parse-topic.ts';
import { type CatalogueTopic, type Follow, TOPIC_KINDS, type TopicKind } from '#src/topics/topic.ts';

const text = (maxLength: number) => Type.String({ maxLength, default: '' });
const flag = Type.Optional(Type.String({ maxLength: 10 }));

/** The preferences form as it is posted. Check boxes that are not ticked are absent. */
export const PreferencesBody = Type.Object({
  timezone: text(64),
  hour: Type.Integer({ minimum: 0, maximum: 23 }),
  frequency: Type.Union([Type.Literal('daily'), Type.Literal('weekdays'), Type.Literal('weekly')]),
  weekdays: Type.Array(Type.Integer({ minimum: 0, maximum: 6 }), { default: [], maxItems: 7 }),
  papersPerDigest: Type.Integer({ minimum: 1, maximum: 50 }),
  dial: Type.Integer({ minimum: 0, maximum: 100 }),
  language: text(35),
  fillWithTrending: flag,
  tellNothingToday: flag,
  reminders: flag,
  sections: flag,
  images: flag,
  topics: Type.Array(Type.String({ maxLength: 100 }), { default: [], maxItems: 300 }),
  categories: text(4000),
  authors: text(8000),
  organisations: text(8000),
  queries: text(16_000),
  papers: text(16_000),
  trending: flag,
  mutes: text(16_000),
});

/** See {@link PreferencesBody}. */
export type PreferencesBody = Static<typeof PreferencesBody>;

/** Kinds with a field of lines, and how the field is called. */
const LINE_FIELDS = {
  categories: 'category',
  authors: 'author',
  organisations: 'organisation',
  queries: 'query',
  papers: 'paper',
} as const satisfies Partial<Record<keyof PreferencesBody, TopicKind>>;

/** What is wrong with a field, for people. */
export type FieldFault = { readonly field: keyof PreferencesBody; readonly message: string };

/** What is followed and muted, as the store gives it. */
export type Ties = { readonly follows: readonly Follow[]; readonly mutes: readonly Follow[] };

/** The form's values for a reader. */
export function preferencesValues(preferences: Preferences, ties: Ties): PreferencesBody {
  const lines = (kind: TopicKind) =>
    ties.follows
      .filter((follow) => follow.kind === kind)
      .map((follow) => follow.value)
      .join('\n');
  const ticked = (value: boolean) => (value ? { on: 'on' } : {}).on;
  return {
    ...preferences,
    weekdays: [0, 1, 2, 3, 4, 5, 6].filter((day) => preferences.weekdays & (1 << day)),
    fillWithTrending: ticked(preferences.fillWithTrending),
    tellNothingToday: ticked(preferences.tellNothingToday),
    reminders: ticked(preferences.reminders),
    sections: ticked(preferences.sections),
    images: ticked(preferences.images),
    topics: ties.follows.filter((follow) => follow.kind === 'topic').map((follow) => follow.value),
    categories: lines('category'),
    authors: lines('author'),
    organisations: lines('organisation'),
    queries: lines('query'),
    papers: lines('paper'),
    trending: ticked(ties.follows.some((follow) => follow.kind === 'trending')),
    mutes: ties.mutes.map((mute) => `${mute.kind}: ${mute.value}`.trim()).join('\n'),
  } as PreferencesBody;
}

/** What the form asks for, or everything that is wrong with it. */
export type ParsedPreferences =
  | { readonly type: 'ok'; readonly preferences: Preferences; readonly follows: readonly Follow[] }
  | { readonly type: 'faults'; readonly faults: readonly FieldFault[] };

/** What parsing needs to know of the installation and of the reader. */
export type PreferencesContext = {
  readonly catalogue: readonly CatalogueTopic[];
  readonly languages: readonly string[];
  /** Ties before: their weights stay, since the form does not show them. */
  readonly ties: Ties;
};

/** Most ties of one reader; the store's limit. */
const MOST_TIES = 500;

/** Reads the posted form. */
export function parsePreferences(body: PreferencesBody, context: PreferencesContext): ParsedPreferences {
  const faults: FieldFault[] = [];
  const timezone = parseZone(body.timezone.trim());
  if (!timezone)
    faults.push({
      field: 'timezone',
      message: `“${body.timezone}” is no time zone; choose one like Europe/Berlin`,
    });
  if (!context.languages.includes(body.language))
    faults.push({ field: 'language', message: `choose one of ${context.languages.join(', ')}` });
  const follows = [...followsOf(body, context, faults), ...mutesOf(body, context, faults)];
  const distinct = [...new Map(follows.map((tie) => [`${tie.kind}:${tie.value}`, tie])).values()];
  if (distinct.length > MOST_TIES)
    faults.push({
      field: 'queries',
      message: `at most ${MOST_TIES} topics in all, these are ${distinct.length}`,
    });
  if (!timezone || faults.length > 0) return { type: 'faults', faults };
  return { type: 'ok', preferences: choicesOf(body, timezone), follows: distinct };
}

function choicesOf(body: PreferencesBody, timezone: string): Preferences {
  const mask = body.weekdays.reduce((bits, day) => bits | (1 << day), 0);
  return {
    timezone,
    hour: body.hour,
    frequency: body.frequency,
    // No day ticked means no narrowing: silence is what "pause" is for.
    weekdays: mask || 127,
    papersPerDigest: body.papersPerDigest,
    dial: body.dial,
    language: body.language,
    fillWithTrending: body.fillWithTrending !== undefined,
    tellNothingToday: body.tellNothingToday !== undefined,
    reminders: body.reminders !== undefined,
    sections: body.sections !== undefined,
    images: body.images !== undefined,
  };
}

/** Lines of a field; papers may be pasted with commas and spaces between them. */
const linesOf = (value: string, separator = /\r?\n/): string[] =>
  value
    .split(separator)
    .map((line) => line.trim())
    .filter((line) => line !== '');

function followsOf(body: PreferencesBody, context: PreferencesContext, faults: FieldFault[]): Follow[] {
  const follows = body.topics.flatMap((slug) => parseTie('topics', 'topic', slug, 1, context, faults));
  for (const [field, kind] of Object.entries(LINE_FIELDS) as [keyof typeof LINE_FIELDS, TopicKind][]) {
    const separator = field === 'papers' || field === 'categories' ? /[\s,;]+/ : /\r?\n/;
    for (const line of linesOf(body[field], separator))
      follows.push(...parseTie(field, kind, line, 1, context, faults));
  }
  if (body.trending !== undefined) follows.push({ kind: 'trending', value: '', weight: 1 });
  return follows;
}

/** Mutes name their kind, `author: Ada Lovelace`, `trending:`; a line without one is a query. */
function mutesOf(body: PreferencesBody, context: PreferencesContext, faults: FieldFault[]): Follow[] {
  return linesOf(body.mutes).flatMap((line) => {
    const [, kind, value] = /^(\w+):\s*(.*)$/.exec(line) ?? [];
    const isKind = kind !== undefined && (TOPIC_KINDS as readonly string[]).includes(kind);
    return isKind && value !== undefined
      ? parseTie('mutes', kind, value, -1, context, faults)
      : parseTie('mutes', 'query', line, -1, context, faults);
  });
}

function parseTie(
  field: FieldFault['field'],
  kind: string,
  value: string,
  sign: 1 | -1,
  context: PreferencesContext,
  faults: FieldFault[],
): Follow[] {
  const parsed = parseTopic(kind, value, context.catalogue);
  if (parsed.type === 'invalid') {
    faults.push({ field, message: parsed.message });
    return [];
  }
  const known = sign === 1 ? context.ties.follows : context.ties.mutes;
  const before = known.find((tie) => tie.kind === parsed.topic.kind && tie.value === parsed.topic.value);
  return [{ ...parsed.topic, weight: before?.weight ?? sign }];
}
