/** Spaces the requests to a site and lets one run at a time, over all processes that share it. */
export type RateLimit = {
  /** Runs `request` when the site's turn has come. */
  turn<T>(site: string, request: () => Promise<T>): Promise<T>;
};

/** Milliseconds between two requests to a site: arXiv's terms of use ask for three seconds and one connection. */
const INTERVALS: Readonly<Record<string, number>> = { 'arxiv.org': 3000 };
const DEFAULT_INTERVAL = 1000;

/** Milliseconds between the starts of two requests to a site. */
export const intervalOf = (site: string): number => INTERVALS[site] ?? DEFAULT_INTERVAL;
