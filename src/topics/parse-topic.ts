import { CATALOGUE } from './catalogue.ts';
import { parseCategory, shorten } from './category.ts';
import { closest } from './closest.ts';
import { cleanName, fold } from './names.ts';
import { parsePaperReference } from './paper-reference.ts';
import { parseQuery } from './query/parse.ts';
import { type CatalogueTopic, TOPIC_KINDS, type TopicKind, type TopicRef } from './topic.ts';

/** A topic in canonical form, or what is wrong with it and how to mend it. */
export type ParsedTopic =
  | { readonly type: 'ok'; readonly topic: TopicRef }
  | {
      readonly type: 'invalid';
      readonly message: string;
      /** Queries only: 1-based position of the mistake. */
      readonly position?: number;
    };

/**
 * Reads a topic that comes from outside (form, API, file, link) and brings it into canonical form, so that the
 * same thing typed in two ways is one topic.
 * @param catalogue what can be followed as kind `topic`; the one of the database, where it was edited
 */
export function parseTopic(
  kind: string,
  value: string,
  catalogue: readonly CatalogueTopic[] = CATALOGUE,
): ParsedTopic {
  if (!isTopicKind(kind)) return { type: 'invalid', message: unknownKind(kind) };
  switch (kind) {
    case 'topic':
      return parseCatalogueTopic(value, catalogue);
    case 'category': {
      const parsed = parseCategory(value);
      return parsed.type === 'ok' ? ok(kind, parsed.pattern) : parsed;
    }
    case 'author':
    case 'organisation': {
      const parsed = cleanName(value);
      return parsed.type === 'ok' ? ok(kind, parsed.name) : parsed;
    }
    case 'query': {
      const parsed = parseQuery(value);
      return parsed.type === 'ok' ? ok(kind, parsed.canonical) : parsed;
    }
    case 'paper': {
      const parsed = parsePaperReference(value);
      return parsed.type === 'ok' ? ok(kind, parsed.identity) : parsed;
    }
    case 'trending':
      return value.trim() === '' ? ok(kind, '') : { type: 'invalid', message: '"trending" takes no value' };
  }
}

/** The key of a topic for maps and sets. */
export const topicKey = (topic: TopicRef): string => `${topic.kind}:${topic.value}`;

const ok = (kind: TopicKind, value: string): ParsedTopic => ({ type: 'ok', topic: { kind, value } });

const isTopicKind = (kind: string): kind is TopicKind => (TOPIC_KINDS as readonly string[]).includes(kind);

function unknownKind(kind: string): string {
  const near = closest(kind.toLowerCase(), TOPIC_KINDS);
  return `"${shorten(kind)}" is no kind of topic; ${near ? `did you mean ${near}?` : `use one of ${TOPIC_KINDS.join(', ')}`}`;
}

function parseCatalogueTopic(value: string, catalogue: readonly CatalogueTopic[]): ParsedTopic {
  const typed = value.trim();
  const key = fold(typed);
  const found = catalogue.find(({ slug, name }) => slug === key || fold(name) === key);
  if (found) return ok('topic', found.slug);
  const near = closest(
    key,
    catalogue.map(({ slug }) => slug),
  );
  const fix = near
    ? `did you mean ${near}?`
    : 'choose one from the list of topics, or follow the words as a query';
  return { type: 'invalid', message: `"${shorten(typed)}" is not in the catalogue; ${fix}` };
}
