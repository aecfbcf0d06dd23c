import type { ReasonView } from './digest-view.ts';
import { displayText, setApart } from './display-text.ts';
import { cutAtWord } from './excerpt.ts';
import type { Locale } from './languages.ts';
import { format, runs } from './phrases.ts';

/** Reasons shown under one paper. */
export const REASONS_SHOWN = 3;
const TERMS_SHOWN = 3;
const LONGEST_NAME = 60;

/** A piece of a reason: plain words, a name that is followed, or a term as it stands in the paper. */
export type ReasonRun = { readonly type: 'plain' | 'name' | 'term'; readonly text: string };

/** A name of outside origin for display, at most 60 characters. */
export function shortName(text: string): string {
  return cutAtWord(displayText(text), LONGEST_NAME);
}

/** `cs.CV`: a host name in Cape Verde. */
const LIKE_A_HOST = /^\S+\.[a-z]{2,}\b/i;

/** A topic's name as the text of a link. Filters take one that begins like a host name, and leads to another, for a false address. */
export function linkName({ kind, name }: { readonly kind: string; readonly name: string }): string {
  const short = shortName(name);
  if (!LIKE_A_HOST.test(short)) return short;
  return kind === 'category' ? `arXiv ${short}` : `“${short}”`;
}

/** At most three reasons in words, the strongest first. */
export function reasonRuns(
  reasons: readonly ReasonView[],
  locale: Locale,
): readonly (readonly ReasonRun[])[] {
  return reasons.slice(0, REASONS_SHOWN).map((reason) => reasonSentence(reason, locale));
}

/** A reason in words: "because you follow", a name, ": ", terms. */
export function reasonSentence(reason: ReasonView, locale: Locale): readonly ReasonRun[] {
  const { reasons } = locale.phrases;
  if (reason.type === 'reminder')
    return [plain(format(reasons.reminder, { date: locale.calendarDate(reason.on) }))];
  if (reason.type === 'trending') return [plain(reason.fill ? reasons.fill : reasons.trending)];
  const names = reason.terms.map(shortName).filter((term) => term !== '');
  const terms = names
    .slice(0, TERMS_SHOWN)
    .flatMap((text, index): ReasonRun[] => [...(index > 0 ? [plain(', ')] : []), { type: 'term', text }]);
  const phrase =
    reason.type === 'follow'
      ? terms.length > 0
        ? reasons.followTerms
        : reasons.follow
      : terms.length > 0
        ? reasons.likedTerms
        : reasons.liked;
  const name: ReasonRun[] = [
    { type: 'name', text: shortName(reason.type === 'follow' ? reason.name : reason.title) },
  ];
  return runs<ReasonRun[]>(phrase, { name, title: name, terms }).flatMap((part) =>
    typeof part === 'string' ? [plain(part)] : part,
  );
}

function plain(text: string): ReasonRun {
  return { type: 'plain', text };
}

/** A reason for a text part: `because you follow Diffusion models: *latent diffusion*`. */
export function plainReason(sentenceRuns: readonly ReasonRun[]): string {
  return sentenceRuns
    .map(({ type, text }) => (type === 'term' ? `*${setApart(text)}*` : setApart(text)))
    .join('');
}
