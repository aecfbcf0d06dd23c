import type { Config } from '#src/config.ts';
import { siteUrls } from '#src/web/site.ts';
import { type Check, type Finding, ok, warning, wordsOf } from './check.ts';

const ANSWER_MS = 8_000;

/** What came of asking for a page. */
export type PageAnswer =
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly location: string | null;
      readonly isOurs: boolean;
    }
  | { readonly type: 'fault'; readonly words: string };

/** The pages, as readers reach them; a reverse proxy that is not reachable from here need not be a fault. */
export const checkPages = (config: Config): Check => ({
  name: 'pages',
  fix: 'BASE_URL: the address at which readers reach the pages',
  run: async () => {
    const { baseUrl, port } = config.web;
    const at = baseUrl ?? `http://localhost:${port}`;
    return [judgePages(at, baseUrl !== null, await ask(healthOf(at)))];
  },
});

/** Under a path of its own a proxy passes on that path only, and `/healthz` is not below it. */
function healthOf(baseUrl: string): string {
  const { origin, base } = siteUrls(baseUrl);
  return base === '' ? `${origin}/healthz` : `${origin}${base}/robots.txt`;
}

async function ask(url: string): Promise<PageAnswer> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
    const text = (await response.text()).slice(0, 10_000);
    return {
      type: 'answer',
      status: response.status,
      location: response.headers.get('location'),
      isOurs: /^\{"status":"(ok|unavailable)"\}$/.test(text) || text.startsWith('User-agent: *'),
    };
  } catch (error) {
    // `fetch failed` says nothing; its cause does.
    return { type: 'fault', words: wordsOf((error as Error).cause ?? error) };
  }
}

/** @param isSet BASE_URL is given, and not the default */
export function judgePages(url: string, isSet: boolean, answer: PageAnswer): Finding {
  if (answer.type === 'fault')
    return warning(
      'pages',
      `${url} can't be reached from here: ${answer.words}`,
      isSet
        ? 'BASE_URL: does `paperboy start` or `paperboy api` run, does the proxy pass on to HOST and PORT, is the name in the DNS?'
        : 'run `paperboy start` or `paperboy api`; for readers on other machines set BASE_URL',
    );
  const { status, location, isOurs } = answer;
  if (location !== null && status >= 300 && status < 400)
    return warning(
      'pages',
      `${url} redirects to ${location.slice(0, 200)}`,
      'BASE_URL: set it to where it redirects, so that links in mails (one-click above all) go straight there',
    );
  if (status !== 200 || !isOurs)
    return warning(
      'pages',
      `${url} answers ${status}${isOurs ? '' : ", and it isn't Paperboy"}`,
      isOurs
        ? 'the service does not reach its database: see its log'
        : 'BASE_URL: the reverse proxy must pass on to HOST and PORT of the service',
    );
  if (isSet && !url.startsWith('https:'))
    return warning(
      'pages',
      `${url} answers, without TLS`,
      'BASE_URL: https, or mail clients offer no one-click unsubscribe (RFC 8058)',
    );
  return ok('pages', `${url} answers`);
}
