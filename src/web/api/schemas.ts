import { type Static, Type } from 'typebox';
import { LANGUAGES } from '#src/mail/languages.ts';
import type { StoredSubscriber } from '#src/subscribers/subscriber-store.ts';
import { type CatalogueTopic, FOLLOW_WEIGHT, type Follow } from '#src/topics/topic.ts';
import type { ListedPaper } from '../dependencies.ts';
import { paperPath } from '../pages/paper.ts';
import type { Site } from '../site.ts';

/** Text or null, in the form of OpenAPI 3.1. */
const textOrNull = () => Type.Unsafe<string | null>({ type: ['string', 'null'] });
/** One of some words: one `enum`, which generated clients understand better than a union of constants. */
export const oneOf = <const Word extends string>(...words: Word[]) =>
  Type.Unsafe<Word>({ type: 'string', enum: words });
const countOrNull = () => Type.Unsafe<number | null>({ type: ['integer', 'null'] });
const IsoDate = (description?: string) =>
  Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', ...(description ? { description } : {}) });
const WebUrl = () => Type.String({ pattern: '^https?://[^\\s<>"]+$', maxLength: 2000 });

/** A page of a list: hand `next` back as `cursor`. */
export const pageOf = <Item extends ReturnType<typeof Type.Object>>(item: Item) =>
  Type.Object({
    items: Type.Array(item),
    next: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Cursor of the next page; null on the last.',
    }),
  });

/** Items of a page where the caller names no limit. */
export const PER_PAGE = 50;

/** Query of a list. */
export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: PER_PAGE })),
  cursor: Type.Optional(Type.String({ maxLength: 100, description: '`next` of the page before.' })),
});

/** Makes the cursor after a position (an offset, or the last id). */
export const toCursor = (position: number): string => Buffer.from(`p${position}`).toString('base64url');

/** Reads a cursor; null when it is none of ours. */
export function fromCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return 0;
  const [, digits] = /^p(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** A paper as the API gives it. */
export const PaperOut = Type.Object({
  identity: Type.String({ description: 'arxiv:…, doi:… or another name it goes by' }),
  arxivId: textOrNull(),
  doi: textOrNull(),
  title: Type.String(),
  abstract: Type.String(),
  authors: Type.Array(Type.String()),
  categories: Type.Array(Type.String()),
  organisation: textOrNull(),
  keywords: Type.Array(Type.String()),
  publishedAt: textOrNull(),
  firstListedOn: textOrNull(),
  url: textOrNull(),
  pdfUrl: textOrNull(),
  codeUrl: textOrNull(),
  projectUrl: textOrNull(),
  license: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'as the source names it: an address, or a word such as cc_by_nc',
  }),
  upvotes: countOrNull(),
  comments: countOrNull(),
  githubStars: countOrNull(),
  trend: Type.Number({ description: 'in [0, 1)' }),
  page: Type.String({ description: 'its page here' }),
});

/** See {@link PaperOut}. */
export const paperOut = (site: Site, paper: ListedPaper): Static<typeof PaperOut> => ({
  ...paper,
  authors: [...paper.authors],
  categories: [...paper.categories],
  keywords: [...paper.keywords],
  publishedAt: paper.publishedAt?.toISOString() ?? null,
  page: `${site.origin}${site.base}${paperPath(paper)}`,
});

/** A paper to be stored. It needs an arXiv id, a DOI or an id of the source. */
export const PaperIn = Type.Object(
  {
    sourceId: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    arxivId: Type.Optional(Type.String({ pattern: '^(\\d{4}\\.\\d{4,5}|[a-z-]+(\\.[A-Z]{2})?/\\d{7})$' })),
    doi: Type.Optional(Type.String({ pattern: '^10\\.\\d{4,9}/\\S+$', maxLength: 300 })),
    title: Type.String({ minLength: 1, maxLength: 1000 }),
    abstract: Type.String({ maxLength: 20_000 }),
    authors: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 3000 })),
    categories: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Za-z.-]{2,30}$' }), { maxItems: 20 })),
    organisation: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    keywords: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 50 })),
    publishedAt: Type.Optional(Type.String({ format: 'date-time' })),
    url: Type.Optional(WebUrl()),
    pdfUrl: Type.Optional(WebUrl()),
    codeUrl: Type.Optional(WebUrl()),
    projectUrl: Type.Optional(WebUrl()),
    license: Type.Optional(Type.String({ minLength: 1, maxLength: 300 })),
    upvotes: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_000_000_000 })),
    comments: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_000_000_000 })),
    githubStars: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_000_000_000 })),
  },
  { additionalProperties: false },
);

/** Papers of one source and day. */
export const PapersIn = Type.Object(
  {
    source: Type.String({ pattern: '^[a-z][a-z0-9-]{1,39}$', description: 'your name for the source' }),
    listedOn: IsoDate('the day they are listed on'),
    papers: Type.Array(PaperIn, { minItems: 1, maxItems: 500 }),
  },
  { additionalProperties: false },
);

const Phrases = Type.Array(Type.String({ minLength: 2, maxLength: 100 }), { maxItems: 100 });

/** A topic of the catalogue. */
export const TopicOut = Type.Object({
  slug: Type.String(),
  name: Type.String(),
  description: Type.String(),
  group: Type.String(),
  triggers: Type.Array(Type.String(), { description: 'phrases looked for in title and abstract' }),
  titleTriggers: Type.Array(Type.String(), { description: 'phrases looked for in the title only' }),
});

/** See {@link TopicOut}. */
export const topicOut = (topic: CatalogueTopic): Static<typeof TopicOut> => ({
  ...topic,
  triggers: [...topic.triggers],
  titleTriggers: [...topic.titleTriggers],
});

/** A topic to be stored under its slug. */
export const TopicIn = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    description: Type.Optional(Type.String({ maxLength: 500 })),
    group: Type.String({ minLength: 1, maxLength: 60 }),
    triggers: Phrases,
    titleTriggers: Type.Optional(Phrases),
  },
  { additionalProperties: false },
);

/** What is followed or muted. */
export const Tie = Type.Object(
  {
    kind: Type.String({ description: 'topic, category, author, organisation, query, paper or trending' }),
    value: Type.String({ maxLength: 1000 }),
    weight: Type.Optional(Type.Number({ ...FOLLOW_WEIGHT, description: '1 is usual' })),
  },
  { additionalProperties: false },
);

const Hour = Type.Integer({ minimum: 0, maximum: 23 });
const Frequency = oneOf('daily', 'weekdays', 'weekly');

/** What a subscriber chooses beside the schedule; in the order of the preferences page. */
const Content = {
  papersPerDigest: Type.Integer({ minimum: 1, maximum: 50 }),
  dial: Type.Integer({ minimum: 0, maximum: 100, description: '0: taste only … 100: what trends only' }),
  language: Type.Union(LANGUAGES.map((tag) => Type.Literal(tag))),
  fillWithTrending: Type.Boolean({ description: 'fill up with trending papers when few match' }),
  tellNothingToday: Type.Boolean({ description: 'a mail that says so on a day without papers' }),
  reminders: Type.Boolean({ description: 'a paper marked "not now" comes again, once' }),
  sections: Type.Boolean({ description: 'papers grouped by topic' }),
  images: Type.Boolean(),
};

/** A subscriber as the API gives it. */
export const SubscriberOut = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  state: oneOf('pending', 'active', 'paused', 'unsubscribed'),
  timezone: Type.String(),
  hour: Hour,
  frequency: Frequency,
  weekdays: Type.Integer({ description: 'bit 0 = Monday … bit 6 = Sunday' }),
  ...Content,
  language: Type.String(),
  nextDigestAt: textOrNull(),
  pausedUntil: textOrNull(),
  createdAt: Type.String(),
  confirmedAt: textOrNull(),
});

/** See {@link SubscriberOut}. */
export const subscriberOut = (
  subscriber: StoredSubscriber & { readonly email: string },
): Static<typeof SubscriberOut> => ({
  id: subscriber.publicId,
  email: subscriber.email,
  state: subscriber.state,
  timezone: subscriber.timezone,
  hour: subscriber.hour,
  frequency: subscriber.frequency,
  weekdays: subscriber.weekdays,
  papersPerDigest: subscriber.papersPerDigest,
  dial: subscriber.dial,
  language: subscriber.language,
  fillWithTrending: subscriber.fillWithTrending,
  tellNothingToday: subscriber.tellNothingToday,
  reminders: subscriber.reminders,
  sections: subscriber.sections,
  images: subscriber.images,
  nextDigestAt: subscriber.nextDigestAt?.toISOString() ?? null,
  pausedUntil: subscriber.pausedUntil,
  createdAt: subscriber.createdAt.toISOString(),
  confirmedAt: subscriber.confirmedAt?.toISOString() ?? null,
});

/** A subscriber with what they follow. */
export const SubscriberDetail = Type.Object({
  ...SubscriberOut.properties,
  follows: Type.Array(Tie),
  mutes: Type.Array(Tie),
});

/** Ties in the form of {@link Tie}: mutes without their sign. */
export const tiesOut = (ties: readonly Follow[]): Static<typeof Tie>[] =>
  ties.map(({ kind, value, weight }) => ({ kind, value, weight: Math.abs(weight) }));

/** Subscribers to be added. The lines are checked one by one, see `parseSubscriberValue`. */
export const SubscribersIn = Type.Object(
  {
    consent: Type.String({
      minLength: 3,
      maxLength: 500,
      description: 'where you have their consent from; kept with each of them',
    }),
    subscribers: Type.Array(
      Type.Object(
        {
          email: Type.String({ maxLength: 320 }),
          timezone: Type.Optional(Type.String({ maxLength: 64 })),
          hour: Type.Optional(Hour),
          frequency: Type.Optional(Frequency),
          follows: Type.Optional(Type.Array(Tie, { maxItems: 500 })),
          mutes: Type.Optional(Type.Array(Tie, { maxItems: 500 })),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 1000 },
    ),
  },
  { additionalProperties: false },
);

/** A change of a subscriber; what is absent stays. `follows` and `mutes` replace all of theirs, together. */
export const SubscriberPatch = Type.Object(
  {
    timezone: Type.Optional(Type.String({ maxLength: 64 })),
    hour: Type.Optional(Hour),
    frequency: Type.Optional(Frequency),
    weekdays: Type.Optional(Type.Integer({ minimum: 1, maximum: 127 })),
    ...Type.Partial(Type.Object(Content)).properties,
    follows: Type.Optional(Type.Array(Tie, { maxItems: 250 })),
    mutes: Type.Optional(Type.Array(Tie, { maxItems: 250 })),
  },
  { additionalProperties: false },
);
