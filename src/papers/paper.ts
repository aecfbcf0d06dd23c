import type { IsoDate, PaperId } from '#src/database/ids.ts';

/**
 * What a source says of one paper. Texts are stored as the source gave them, apart from runs of white space
 * in titles; they are cleaned for display only.
 */
export type PaperRecord = {
  /** Key within the source, such as `2606.01234` or a hash of the title; the last resort of identity. */
  readonly sourceId: string;
  /** arXiv identifier without version, `2606.01234` or `math/0601001`. */
  readonly arxivId?: string;
  /** Lower-cased DOI without resolver, `10.1101/2026.01.01.123456`. */
  readonly doi?: string;
  /** Further names of the same work in the form of `identifiersOf`, such as `doi:` of the journal's version. */
  readonly aliases?: readonly string[];
  readonly title: string;
  readonly abstract: string;
  readonly authors?: readonly string[];
  /** arXiv categories, the primary one first. */
  readonly categories?: readonly string[];
  readonly organisation?: string;
  readonly keywords?: readonly string[];
  readonly comment?: string;
  /** The licence as the source names it: an address (arXiv) or a word such as `cc_by_nc` (bioRxiv). */
  readonly license?: string;
  /** arXiv version, from 1. */
  readonly version?: number;
  readonly publishedAt?: Date;
  readonly url?: string;
  readonly pdfUrl?: string;
  readonly codeUrl?: string;
  readonly projectUrl?: string;
  readonly thumbnailUrl?: string;
  /** True when the source says that the paper was withdrawn. */
  readonly withdrawn?: boolean;
};

/** How a paper appeared: announced new, cross-listed, replaced by a new version, or on a community's daily list. */
export type ListingKind = 'new' | 'cross' | 'replace' | 'daily';

/** Kinds of signal: totals as seen at an instant (not increments). `more` counts readers' own votes. */
export type SignalKind = 'upvotes' | 'comments' | 'github_stars' | 'more';

/** One appearance of a paper in a source on a day, with what was observed of it then. */
export type ListingRecord = {
  readonly source: string;
  readonly listedOn: IsoDate;
  readonly kind: ListingKind;
  /** arXiv category, or page file name; empty when the source has no such part. */
  readonly section: string;
  /** Position on the list, from 1. */
  readonly position?: number;
  readonly signals?: Partial<Record<SignalKind, number>>;
  /** When the signals were observed. */
  readonly observedAt: Date;
  readonly paper: PaperRecord;
};

/** Something of a source that could not be read: named so that a person finds it. */
export type SourceFault = {
  /** File name or URL. */
  readonly where: string;
  /** Line in a text file, index in an array, from 1. */
  readonly line?: number;
  readonly message: string;
};

/** What a source yields, in the source's order. */
export type SourceItem =
  | { readonly type: 'listing'; readonly listing: ListingRecord }
  /** A paper is gone from its source: `identifier` in any form that names it. */
  | { readonly type: 'withdrawal'; readonly identifier: string; readonly observedAt: Date }
  /** Everything before is complete: `reached` is called once it is stored, to remember how far the source was read. */
  | { readonly type: 'checkpoint'; readonly reached: () => Promise<void> }
  /**
   * How one section of the source, such as an arXiv category, was read; after its listings.
   * `newestListedOn`: null when it listed nothing, or nothing that wasn't known; `fault`: why it wasn't read whole.
   */
  | {
      readonly type: 'section';
      readonly section: string;
      readonly newestListedOn: IsoDate | null;
      readonly fault: string | null;
    }
  | { readonly type: 'fault'; readonly fault: SourceFault };

/** A stored paper, as matching, mails and pages read it. */
export type Paper = {
  readonly id: PaperId;
  readonly identity: string;
  readonly arxivId: string | null;
  readonly doi: string | null;
  readonly title: string;
  readonly abstract: string;
  readonly authors: readonly string[];
  readonly categories: readonly string[];
  readonly organisation: string | null;
  readonly keywords: readonly string[];
  readonly publishedAt: Date | null;
  readonly url: string | null;
  readonly pdfUrl: string | null;
  readonly codeUrl: string | null;
  readonly projectUrl: string | null;
  readonly thumbnailUrl: string | null;
  /** As its source names it: an address or a word such as `cc_by_nc`. */
  readonly license: string | null;
  readonly firstListedOn: IsoDate | null;
  readonly withdrawnAt: Date | null;
  /** Latest totals, where any were seen. */
  readonly upvotes: number | null;
  readonly comments: number | null;
  readonly githubStars: number | null;
};
