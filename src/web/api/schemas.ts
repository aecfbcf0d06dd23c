import { type Static, type TNumberOptions, Type } from 'typebox';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import type { ListedPaper } from '../dependencies.ts';
import { paperPath } from '../pages/paper.ts';
import type { Site } from '../site.ts';

/** Text or null, in the form of OpenAPI 3.1. */
const textOrNull = () => Type.Unsafe<string | null>({ type: ['string', 'null'] });
/** One of some words: one `enum`, which generated clients understand better than a union of constants. */
export const oneOf = <const Word extends string>(...words: Word[]) =>
  Type.Unsafe<Word>({ type: 'string', enum: words });
const countOrNull = () => Type.Unsafe<number | null>({ type: ['integer', 'null'] });
/** An instant or null, in the form of OpenAPI 3.1. */
export const instantOrNull = () =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time' });
/** A day or null. */
export const dateOrNull = () => Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date' });
/** A number with a fraction: without a format, some generators take it for a whole one. */
export const fraction = (options: TNumberOptions) => Type.Number({ format: 'double', ...options });
const IsoDate = (description?: string) =>
  Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', ...(description ? { description } : {}) });
/** The quote is written as \x22: some generators put patterns between quotes unescaped. */
const WebUrl = () => Type.String({ pattern: '^https?://[^\\s<>\\x22]+$', maxLength: 2000 });

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
  publishedAt: instantOrNull(),
  firstListedOn: dateOrNull(),
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
  trend: fraction({ description: 'in [0, 1)' }),
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

/** What became of papers that were sent. */
export const PapersStored = Type.Object({ created: Type.Integer(), known: Type.Integer() });

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

/** The whole catalogue. */
export const TopicList = Type.Object({ items: Type.Array(TopicOut) });

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
