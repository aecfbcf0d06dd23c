import type { PaperBlock, ReasonView } from './digest-view.ts';
import { displayText } from './display-text.ts';
import { encodeHtml } from './encode-html.ts';
import { quotedPrintable, wrap } from './encode-text.ts';
import { cutAtWord } from './excerpt.ts';
import type { Locale } from './languages.ts';
import { runs } from './phrases.ts';
import type { Block } from './slots.ts';

const REASONS_SHOWN = 3;
const TERMS_SHOWN = 3;
const LONGEST_NAME = 60;

/** A piece of a sentence: plain, a name, or terms as they stand in the paper. */
type Run = string | { readonly name: string } | { readonly terms: readonly string[] };

/** A name of outside origin for display, at most 60 characters. */
export function shortName(text: string): string {
  return cutAtWord(displayText(text), LONGEST_NAME);
}

function sentence(reason: ReasonView, { phrases: { reasons } }: Locale): Run[] {
  if (reason.type === 'trending') return [reason.fill ? reasons.fill : reasons.trending];
  const terms = reason.terms.map(shortName).filter((term) => term !== '');
  const values = { terms: { terms: terms.slice(0, TERMS_SHOWN) } };
  if (reason.type === 'follow')
    return runs<Run>(terms.length > 0 ? reasons.followTerms : reasons.follow, {
      ...values,
      name: { name: shortName(reason.name) },
    });
  return runs<Run>(terms.length > 0 ? reasons.likedTerms : reasons.liked, {
    ...values,
    title: { name: shortName(reason.title) },
  });
}

/** The reasons as chips: `because you follow <b>Diffusion models</b>: <i>latent diffusion</i>`. */
export function reasonsHtml(
  reasons: readonly ReasonView[],
  locale: Locale,
  chip: (inner: string) => string,
): string {
  const markUp = (run: Run): string => {
    if (typeof run === 'string') return encodeHtml(run);
    if ('name' in run) return `<b>${encodeHtml(run.name)}</b>`;
    return run.terms.map((term) => `<i>${encodeHtml(term)}</i>`).join(', ');
  };
  return reasons
    .slice(0, REASONS_SHOWN)
    .map((reason) => chip(sentence(reason, locale).map(markUp).join('')))
    .join('\n');
}

/** The reasons as lines of a text part: `because you follow Diffusion models: *latent diffusion*`. */
export function reasonsText(reasons: readonly ReasonView[], locale: Locale, indent: string): string {
  const plain = (run: Run): string => {
    if (typeof run === 'string') return run;
    return 'name' in run ? run.name : run.terms.map((term) => `*${term}*`).join(', ');
  };
  return reasons
    .slice(0, REASONS_SHOWN)
    .map((reason) => wrap(sentence(reason, locale).map(plain).join(''), indent))
    .join('\n');
}

/** Encoded once per language and set of reasons: many readers share a topic and so its reasons. */
export type ReasonBlocks = { readonly html: Block; readonly text: Block };

/** What "mute topic" would mute: the strongest topic behind a paper, else the paper's first category. */
export function muteTopic(
  reasons: readonly ReasonView[],
  block: PaperBlock,
): { readonly kind: string; readonly value: string; readonly name: string } | null {
  const followed = reasons.find((reason) => reason.type === 'follow');
  if (followed) return { ...followed.topic, name: shortName(followed.name) };
  return block.firstCategory
    ? { kind: 'category', value: block.firstCategory, name: block.firstCategory }
    : null;
}

/** As {@link reasonsText}, encoded. */
export function encodedReasonsText(reasons: readonly ReasonView[], locale: Locale, indent: string): string {
  return quotedPrintable(reasonsText(reasons, locale, indent));
}
