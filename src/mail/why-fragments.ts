import { createCache } from './cache.ts';
import { type Chunks, lengthOf } from './chunk.ts';
import type { Fragment, SectionWriter } from './digest-fragments.ts';
import type { PaperBlock, ReasonView } from './digest-view.ts';
import { type Followed, followedOf, sectionName } from './digest-words.ts';
import { RIGHT_TO_LEFT } from './display-text.ts';
import { INDENT, wrap } from './encode-text.ts';
import type { Locale } from './languages.ts';
import { format } from './phrases.ts';
import { linkName, plainReason, REASONS_SHOWN, reasonSentence } from './reasons.ts';
import { type Block, field, filledBlock, joinedBlock, type Slot } from './slots.ts';
import { open, sectionOf } from './template.ts';
import type { MessageTemplates } from './templates.ts';
import { createTopicLinks, type TopicLink } from './topic-links.ts';

/** Reasons kept encoded; readers who share topics share them. */
const KEPT = 10_000;

/** A paper with its reasons: everything that digests share which show it for the same ones. */
export type Why = {
  /** Its block, with the chips of its reasons, and in HTML its link "mute Diffusion models": the strongest topic behind it, else its first category. */
  readonly html: Chunks;
  readonly text: Block<'number'>;
  /** Octets of the HTML. */
  readonly octets: number;
  /** The topics among its reasons, for the foot. */
  readonly topics: readonly TopicLink[];
  /** Its heading when the digest is grouped by topic. */
  readonly section: string;
};

/** Sets of reasons kept with a paper; the oldest goes. */
const KEPT_WITH_PAPER = 16;

/** Octets kept of papers with their reasons, of one edition; beyond them all are forgotten at once. */
const KEPT_OCTETS = 16 << 20;

/** Makes a {@link Why}; each is encoded once and kept. */
export type WhyOf = (reasons: readonly ReasonView[], block: PaperBlock, locale: Locale) => Why;

/** Creates the function that puts reasons into encoded words. */
export function createWhy(writer: SectionWriter, templates: MessageTemplates): WhyOf {
  const chipsOf = createChips(writer, templates);
  const muteOf = createMuteLinks(writer, templates);
  const topicLink = createTopicLinks(writer);
  const encode: WhyOf = (reasons, block, locale) => {
    const chips = chipsOf(reasons.slice(0, REASONS_SHOWN), locale);
    const mute = muteOf(topicToMute(reasons, block.firstCategory), locale);
    const html = joinedBlock(block.html, { reasons: chips.html, mute });
    return {
      html,
      text: joinedBlock(block.text, { reasons: chips.text }),
      octets: lengthOf(html),
      topics: followedOf(reasons).map((topic) => topicLink(topic, locale)),
      section: sectionName(reasons, locale),
    };
  };
  // A paper is there for few reasons, whoever reads it: comparing with those is cheaper than a key made of them.
  const known = new Map<PaperBlock, { readonly reasons: readonly ReasonView[]; readonly why: Why }[]>();
  let kept = 0;
  return (reasons, block, locale) => {
    for (const each of known.get(block) ?? []) if (sameReasons(each.reasons, reasons)) return each.why;
    const why = encode(reasons, block, locale);
    kept += why.octets + lengthOf(why.text.filter((piece) => typeof piece !== 'string'));
    if (kept > KEPT_OCTETS) {
      known.clear();
      kept = 0;
    }
    const ofPaper = known.get(block) ?? [];
    known.set(block, [...ofPaper.slice(1 - KEPT_WITH_PAPER), { reasons, why }]);
    return why;
  };
}

// Loops, here and below: they run for every paper of every digest, where `every` makes a function each time.
function sameReasons(one: readonly ReasonView[], other: readonly ReasonView[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++)
    if (!sameReason(one[at] as ReasonView, other[at] as ReasonView)) return false;
  return true;
}

function sameReason(one: ReasonView, other: ReasonView): boolean {
  if (one === other) return true;
  switch (one.type) {
    case 'trending':
      return other.type === 'trending' && one.fill === other.fill;
    case 'reminder':
      return other.type === 'reminder' && one.on === other.on;
    case 'liked':
      return other.type === 'liked' && one.title === other.title && sameTerms(one.terms, other.terms);
    case 'follow':
      return (
        other.type === 'follow' &&
        one.topic.value === other.topic.value &&
        one.topic.kind === other.topic.kind &&
        one.name === other.name &&
        sameTerms(one.terms, other.terms)
      );
  }
}

function sameTerms(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

function reasonKey(reason: ReasonView): string {
  if (reason.type === 'trending') return `\0${reason.fill}`;
  if (reason.type === 'reminder') return `\0\0\0${reason.on}`;
  if (reason.type === 'liked') return `\0\0${reason.title}\0${reason.terms.join('\0')}`;
  return `\0${reason.topic.kind}\0${reason.topic.value}\0${reason.name}\0${reason.terms.join('\0')}`;
}

/** Chips inside their paragraph; lines behind an empty one. */
function createChips(writer: SectionWriter, templates: MessageTemplates) {
  const frame = writer.html(sectionOf(templates.html, 'chips'), { list: open(field('list')) });
  const emptyLine = writer.text([{ type: 'text', text: '\n' }], {});
  const html = sectionOf(templates.html, 'chip');
  const text = sectionOf(templates.text, 'reasonLine');
  const chips = createCache<Fragment>(KEPT);
  const chip = (reason: ReasonView, locale: Locale) =>
    chips(locale.language + reasonKey(reason), () => {
      const sentence = reasonSentence(reason, locale);
      const runs = sentence.map((run) => ({
        plain: false,
        name: false,
        term: false,
        [run.type]: { text: run.text, rtl: RIGHT_TO_LEFT.test(run.text) },
      }));
      const line = wrap(plainReason(sentence), INDENT);
      return { html: writer.html<never>(html, { runs }), text: writer.text<never>(text, { line }) };
    });
  return (reasons: readonly ReasonView[], locale: Locale): Fragment => {
    if (reasons.length === 0) return { html: [], text: [] };
    const shown = reasons.map((reason) => chip(reason, locale));
    return {
      html: filledBlock(frame, { list: shown.flatMap((each) => each.html) }),
      text: [...emptyLine, ...shown.flatMap((each) => each.text)],
    };
  };
}

function topicToMute(reasons: readonly ReasonView[], category: string | null): Followed | null {
  const followed = reasons.find((reason) => reason.type === 'follow');
  if (followed) return { kind: followed.topic.kind, value: followed.topic.value, name: followed.name };
  return category ? { kind: 'category', value: category, name: category } : null;
}

function createMuteLinks(writer: SectionWriter, templates: MessageTemplates) {
  const template = sectionOf(templates.html, 'muteLink');
  const links = createCache<Chunks>(KEPT);
  return (topic: Followed | null, locale: Locale): Chunks => {
    if (!topic) return [];
    const { kind, value, name } = topic;
    return links(`${locale.language}\0${kind}\0${value}\0${name}`, () => {
      const label = format(locale.phrases.digest.actions.mute, { name: linkName({ kind, name }) });
      const target = open<Slot>({ type: 'topic', action: 'mute', kind, value });
      return writer.html(template, { label, target });
    });
  };
}
