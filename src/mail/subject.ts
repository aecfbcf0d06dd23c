import type { DigestView } from './digest-view.ts';
import { cutAtWord } from './excerpt.ts';
import { authorLine } from './paper-block.ts';
import { format } from './phrases.ts';

const LONGEST_TITLE = 90;
const LONGEST_PREVIEW = 150;

/** The subject out of the content: the top paper and how many more there are. One line of clean text. */
export function digestSubject({ kind, locale, papers }: DigestView): string {
  const { subject } = locale.phrases.digest;
  const top = papers[0];
  if (kind === 'nothing' || !top) return subject.nothing;
  const others = papers.length - 1;
  const phrase = others === 0 ? (subject[kind].one ?? subject[kind].other) : subject[kind].other;
  return format(phrase, {
    title: cutAtWord(top.block.title, LONGEST_TITLE),
    others: locale.number(others),
    total: locale.number(papers.length),
  });
}

/**
 * What a mail client shows behind the subject: the second and third paper, or the authors of the only one (empty when it has none). It opens
 * the mail for all to see: filters mind what is hidden, and so do those who listen to a mail.
 */
export function previewText({ kind, locale, papers }: DigestView): string {
  const { digest } = locale.phrases;
  if (kind === 'nothing' || papers.length === 0) return digest.introduction.nothing;
  const titles = papers.slice(1, 3).map(({ block }) => block.title);
  if (titles.length > 0)
    return cutAtWord(format(digest.previewSecond, { titles: titles.join(' · ') }), LONGEST_PREVIEW);
  const authors = authorLine(papers[0]?.block.authors ?? [], locale);
  return authors === '' ? '' : cutAtWord(format(digest.previewOnly, { authors }), LONGEST_PREVIEW);
}
