import { createCache } from './cache.ts';
import type { Chunk } from './chunk.ts';
import type { Channel, Fragment, SectionWriter } from './digest-fragments.ts';
import type { Followed } from './digest-words.ts';
import type { Locale } from './languages.ts';
import { linkName } from './reasons.ts';
import { type Block, field, type Slot } from './slots.ts';
import { open, sectionOf } from './template.ts';
import type { MessageTemplates } from './templates.ts';

/** Topics kept encoded. */
const KEPT = 10_000;

/** A followed topic with its link to unfollow it. */
export type TopicLink = Fragment & {
  /** The same for the same topic. */
  readonly key: string;
};

/** Creates the function that encodes a topic's link, once for all readers. */
export function createTopicLinks(writer: SectionWriter): (topic: Followed, locale: Locale) => TopicLink {
  const link = writer.both('unfollowLink');
  const links = createCache<TopicLink>(KEPT);
  return ({ kind, value, name }, locale) =>
    links(`${locale.language}\0${kind}\0${value}\0${name}`, () => {
      const target = open<Slot>({ type: 'topic', action: 'unfollow', kind, value });
      const values = { name: linkName({ kind, name }), colon: locale.phrases.colon, target };
      return { key: `${kind} ${value}`, ...link(values, values) };
    });
}

/** Writes the foot's line of topics into one of the two bodies. */
export type UnfollowLine = (
  out: Chunk[],
  channel: Channel,
  topics: readonly TopicLink[],
  locale: Locale,
) => void;

/** Creates the function that writes the foot's line of topics, into one of the two bodies. */
export function createUnfollowLine(writer: SectionWriter, templates: MessageTemplates): UnfollowLine {
  const lines = createCache<Record<Channel, Block<'list'>>>(KEPT);
  const gaps = { html: writer.html(sectionOf(templates.html, 'unfollowGap'), {}), text: [] };
  const lineOf = (locale: Locale) =>
    lines(locale.language, () => {
      const { colon, foot } = locale.phrases;
      const values = { label: foot.unfollow, colon, list: open(field('list')) };
      return {
        html: writer.html(sectionOf(templates.html, 'unfollowLine'), values),
        text: writer.text(sectionOf(templates.text, 'unfollowLine'), values),
      };
    });
  return (out, channel, topics, locale) => {
    if (topics.length === 0) return;
    for (const piece of lineOf(locale)[channel]) {
      if (typeof piece !== 'string') out.push(piece);
      else
        for (const topic of topics) {
          if (topic !== topics[0]) out.push(...gaps[channel]);
          out.push(...topic[channel]);
        }
    }
  };
}
