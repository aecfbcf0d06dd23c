import { utcDate } from '#src/database/ids.ts';
import type { SourceItem } from '../paper.ts';
import { fault, type SourceRequest } from '../source.ts';
import { type ArxivAnswer, readArxivXml } from './arxiv-xml.ts';
import { fetchChanged, type Network } from './fetch.ts';

/** Papers asked for at once. */
const PAGE = 100;
/** Papers where no limit is given. */
const DEFAULT_LIMIT = 100;

/**
 * Papers that fit a query of the arXiv API, the newest first, such as `cat:cs.CL AND ti:diffusion`
 * (https://info.arxiv.org/help/api/user-manual.html, section 5.1). They are listed on `request.listedOn`, else today.
 * @param search `limit`: papers at most, 100 where it is not given
 */
export async function* readQuery(
  network: Network,
  search: { readonly query: string; readonly limit?: number | undefined },
  request: SourceRequest,
  base: string,
): AsyncIterable<SourceItem> {
  const limit = search.limit ?? DEFAULT_LIMIT;
  for (let start = 0; start < limit; ) {
    const size = Math.min(PAGE, limit - start);
    const url = pageUrl(base, search.query, start, size);
    const fetched = await fetchChanged(network, url, 'application/atom+xml');
    // What is wrong with a query stands in the body of a 400.
    if (fetched.type === 'fault' && fetched.status !== 400) return yield fetched.item;
    if (fetched.type === 'unchanged' || !fetched.body) return;
    const answer: ArxivAnswer = { entries: 0 };
    const context = { where: url, day: request.listedOn ?? utcDate(request.now), observedAt: request.now };
    yield* readArxivXml(fetched.body, context, answer);
    if (fetched.type === 'fault') return;
    start += answer.entries;
    if (start >= (answer.totalResults ?? start)) return;
    // Under load the API cuts lists short without saying so.
    if (answer.entries === 0)
      return yield fault(url, `arXiv says ${answer.totalResults} papers fit, and gave none after ${start}`);
  }
}

function pageUrl(base: string, query: string, start: number, size: number): string {
  const order = { sortBy: 'submittedDate', sortOrder: 'descending' };
  const page = { start: String(start), max_results: String(size) };
  return `${base}?${new URLSearchParams({ search_query: query, ...page, ...order }).toString()}`;
}
