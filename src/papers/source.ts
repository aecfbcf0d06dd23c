import type { IsoDate } from '#src/database/ids.ts';
import type { SourceFault, SourceItem } from './paper.ts';

/** What is asked of a source. Without `files` it goes to the network, if it can. */
export type SourceRequest = {
  /** The instant of reading: observation time of whatever carries none of its own. */
  readonly now: Date;
  /** Recorded answers to read instead of the network, in this order. */
  readonly files?: readonly string[];
  /** First day asked for, included. Recorded files are read whole whatever the days. */
  readonly from?: IsoDate;
  /** Last day asked for, included. */
  readonly to?: IsoDate;
  /** Hugging Face: an ISO week (`2026-W23`) or a month (`2026-06`) instead of days. */
  readonly week?: string;
  readonly month?: string;
  /** arXiv: a query of its API instead of days, and how many papers at most. */
  readonly query?: string;
  readonly limit?: number;
  /** arXiv ids in any form, pasted by a curator, to be fetched and completed. */
  readonly ids?: readonly string[];
  /** The day to list papers on where the input names none; default: the UTC date of `now`. */
  readonly listedOn?: IsoDate;
};

/**
 * Where papers come from. `read` yields in the source's order and in bounded memory; what cannot be read is
 * yielded as a fault, in its place. It rejects only for bugs and lost infrastructure.
 */
export type Source = {
  /** Stored with every listing, such as `huggingface`. */
  readonly name: string;
  read(request: SourceRequest): AsyncIterable<SourceItem>;
};

/** A fault as an item of a source. `line`: from 1, of a text file or of an array. */
export function fault(where: string, message: string, line?: number): SourceItem {
  const found: SourceFault = line === undefined ? { where, message } : { where, line, message };
  return { type: 'fault', fault: found };
}

/** What an error says, for a {@link fault}. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Remembers small things between runs, such as how far a source was read; values are JSON. */
export type SourceMemory = {
  recall(key: string): Promise<unknown>;
  remember(key: string, value: unknown): Promise<void>;
};

/** For a dry run: remembers nothing. */
export const noMemory: SourceMemory = { recall: async () => undefined, remember: async () => undefined };
