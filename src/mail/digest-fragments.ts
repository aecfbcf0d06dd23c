import { createCache } from './cache.ts';
import type { PaperBlock, ReasonView } from './digest-view.ts';
import { type Followed, type Note } from './digest-words.ts';
import { RIGHT_TO_LEFT } from './display-text.ts';
import { encodeHtml } from './encode-html.ts';
import { quotedPrintable, wrap } from './encode-text.ts';
import type { Locale } from './languages.ts';
import { format } from './phrases.ts';
import { plainReason, REASONS_SHOWN, reasonSentence, shortName } from './reasons.ts';
import { type Block, field, finishHtml, type Slot } from './slots.ts';
import { encodePieces, fill, open, sectionOf, type Template, type Values } from './template.ts';
import type { MessageTemplates } from './templates.ts';

/** Indentation under a paper's number in text parts. */
export const INDENT = '    ';
/** Reasons, and sets of topics, kept encoded; readers who share topics share them. */
const KEPT = 20_000;

/** A small part of a digest, encoded for both bodies. */
export type Fragment = { readonly html: Block; readonly text: Block };

/** The chips of a paper, and its link "mute Diffusion models" (only in HTML): the strongest topic behind it, else its first category. */
export type Why = { readonly reasons: Fragment; readonly mute: Block };

/** Makes the parts of a digest that depend on more than a paper and less than a reader; each is encoded once and kept. */
export type Fragments = {
  /** Why one paper is there: its chips, and what "mute …" under it would mute. */
  why(reasons: readonly ReasonView[], block: PaperBlock, locale: Locale): Why;
  section(heading: string): Fragment;
  unfollow(topics: readonly Followed[], locale: Locale): Fragment;
  note(note: Note, locale: Locale): Fragment;
  /** A line of clean text. */
  line(text: string): Fragment;
};

/** @param templates of `loadTemplates('digest')` */
export function createFragments(templates: MessageTemplates): Fragments {
  const part = (name: string) => ({
    html: sectionOf(templates.html, name),
    text: sectionOf(templates.text, name),
  });
  const parts = { section: part('section'), note: part('noteLine'), unfollow: part('unfollowLine') };
  const frame = encodedHtml(sectionOf(templates.html, 'chips'), { list: open<Slot>(field('chips')) });
  const chip = { html: sectionOf(templates.html, 'chip'), text: sectionOf(templates.text, 'reasonLine') };
  const muteLink = sectionOf(templates.html, 'muteLink');
  const chipCache = createCache<Fragment>(KEPT);
  const muteCache = createCache<Block>(KEPT);
  const topicCache = createCache<Fragment>(KEPT);
  const lineCache = createCache<Fragment>(KEPT);
  const sectionCache = createCache<Fragment>(KEPT);
  return {
    why: (reasons, { firstCategory }, locale) => {
      const chips = reasons
        .slice(0, REASONS_SHOWN)
        .map((reason) =>
          chipCache(locale.language + reasonKey(reason), () => chipFragment(reason, locale, chip)),
        );
      const topic = topicToMute(reasons, firstCategory);
      const mute = topic
        ? muteCache(locale.language + topicKey(topic), () => muteBlock(topic, locale, muteLink))
        : [];
      return { reasons: framed(chips, frame), mute };
    },
    section: (name) => sectionCache(name, () => filled(parts.section, { name }, { name })),
    unfollow: (topics, locale) =>
      topicCache(locale.language + topics.map(topicKey).join('\n'), () =>
        unfollowFragment(topics, locale, parts.unfollow),
      ),
    note: (note, locale) => noteFragment(note, locale, parts.note),
    line: (text) =>
      lineCache(text, () => ({
        html: finishHtml([encodeHtml(text)]),
        text: encodePieces<Slot>([wrap(text)], quotedPrintable),
      })),
  };
}

function topicKey({ kind, value, name }: Followed): string {
  return `\0${kind}\0${value}\0${name}`;
}

function reasonKey(reason: ReasonView): string {
  if (reason.type === 'trending') return `\0${reason.fill}`;
  if (reason.type === 'reminder') return `\0\0\0${reason.on}`;
  if (reason.type === 'liked') return `\0\0${reason.title}\0${reason.terms.join('\0')}`;
  return `\0${reason.topic.kind}\0${reason.topic.value}\0${reason.name}\0${reason.terms.join('\0')}`;
}

function noteFragment({ text, page }: Note, locale: Locale, part: MessageTemplates): Fragment {
  const { colon, digest } = locale.phrases;
  const view = open<Slot>({ type: 'link', to: 'view' });
  const { viewInBrowser } = digest;
  return filled(part, { text, page, view, viewInBrowser, colon }, { text: wrap(text), page, view, colon });
}

function filled(part: MessageTemplates, html: Values<Slot>, text: Values<Slot>): Fragment {
  return { html: encodedHtml(part.html, html), text: encodedText(part.text, text) };
}

function encodedHtml(template: Template, values: Values<Slot>): Block {
  return finishHtml(fill(template, values, { escape: encodeHtml }));
}

function encodedText(template: Template, values: Values<Slot>): Block {
  return encodePieces(fill(template, values, { escape: (text) => text }), quotedPrintable);
}

/** One reason, as a chip and as a line. */
function chipFragment(reason: ReasonView, locale: Locale, part: MessageTemplates): Fragment {
  const sentence = reasonSentence(reason, locale);
  const runs = sentence.map(({ type, text }) => ({
    plain: false,
    name: false,
    term: false,
    [type]: { text, rtl: RIGHT_TO_LEFT.test(text) },
  }));
  return filled(part, { runs }, { line: wrap(plainReason(sentence), INDENT) });
}

/** Chips inside their paragraph; lines behind an empty one. */
function framed(chips: readonly Fragment[], frame: Block): Fragment {
  if (chips.length === 0) return { html: [], text: [] };
  const html = chips.flatMap((chip) => chip.html);
  return {
    html: frame.flatMap((piece) => (typeof piece === 'string' ? [piece] : html)),
    text: ['\r\n', ...chips.flatMap((chip) => chip.text)],
  };
}

function topicToMute(reasons: readonly ReasonView[], category: string | null): Followed | null {
  const followed = reasons.find((reason) => reason.type === 'follow');
  if (followed) return { kind: followed.topic.kind, value: followed.topic.value, name: followed.name };
  return category ? { kind: 'category', value: category, name: category } : null;
}

function muteBlock({ name, ...topic }: Followed, locale: Locale, template: Template): Block {
  const label = format(locale.phrases.digest.actions.mute, { name: shortName(name) });
  return encodedHtml(template, { label, target: open<Slot>({ type: 'topic', action: 'mute', ...topic }) });
}

function unfollowFragment(topics: readonly Followed[], locale: Locale, part: MessageTemplates): Fragment {
  if (topics.length === 0) return { html: [], text: [] };
  const { colon, foot } = locale.phrases;
  const label = foot.unfollow;
  const links = topics.map(({ name, ...topic }, index) => ({
    name: shortName(name),
    first: index === 0,
    target: open<Slot>({ type: 'topic', action: 'unfollow', ...topic }),
  }));
  return {
    html: encodedHtml(part.html, { label, colon, topics: links }),
    text: links.flatMap((link) => [...encodedText(part.text, { label, colon, ...link })]),
  };
}
