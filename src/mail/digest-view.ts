import type { Locale } from './languages.ts';
import type { ReaderTokens } from './links.ts';
import type { Block } from './slots.ts';

/** A paper as a mail shows it. Texts are as the sources gave them; they are cleaned here. */
export type PaperView = {
  readonly id: number;
  readonly title: string;
  readonly abstract: string;
  readonly authors: readonly string[];
  /** Where it is from, `arXiv` or a host name; empty when unknown. */
  readonly origin: string;
  readonly categories: readonly string[];
  readonly organisation: string | null;
  readonly upvotes: number | null;
  readonly comments: number | null;
  readonly githubStars: number | null;
  readonly url: string | null;
  readonly pdfUrl: string | null;
  readonly codeUrl: string | null;
  readonly projectUrl: string | null;
  readonly thumbnailUrl: string | null;
};

/** Why a paper is in a digest, the strongest first. */
export type ReasonView =
  | {
      readonly type: 'follow';
      readonly topic: { readonly kind: string; readonly value: string };
      readonly name: string;
      readonly terms: readonly string[];
    }
  | { readonly type: 'liked'; readonly title: string; readonly terms: readonly string[] }
  | { readonly type: 'trending'; readonly fill: boolean }
  /** The day (UTC) it was put aside. */
  | { readonly type: 'reminder'; readonly on: string };

/** A paper's part of both bodies, encoded; made once per edition, language and with or without picture. */
export type PaperBlock = {
  readonly title: string;
  readonly firstCategory: string | null;
  readonly authors: readonly string[];
  readonly html: Block<'reasons' | 'mute'>;
  readonly text: Block<'reasons' | 'number'>;
};

/** What the edition was made of, for the coverage line. */
export type CoverageView = {
  /** New papers of each category or source that answered; of a source with many categories their sum. */
  readonly fresh: readonly { readonly name: string; readonly count: number }[];
  /** Names of the categories and sources that were due and not there yet. */
  readonly late: readonly string[];
  /** Sources that announce nothing on such a day, and why. */
  readonly quiet: readonly { readonly name: string; readonly why: 'weekend' | 'holiday' }[];
};

/** One reader's digest, ready to be written. */
export type DigestView = {
  readonly kind: 'welcome' | 'daily' | 'weekly' | 'nothing';
  readonly editionDate: string;
  /** The instant the reader asked for; shown as a date in their zone. */
  readonly slotAt: Date;
  readonly locale: Locale;
  readonly timezone: string;
  readonly tokens: ReaderTokens;
  readonly papers: readonly { readonly block: PaperBlock; readonly reasons: readonly ReasonView[] }[];
  readonly candidates: number;
  /** Candidates the reader had got in earlier digests; null where it is not known. */
  readonly had: number | null;
  /** Grouped by topic. */
  readonly sections: boolean;
  /** Papers of this digest that were withdrawn since. */
  readonly withdrawn: number;
  readonly coverage: CoverageView | null;
};
