import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { addDays, type IsoDate, isoDate, utcDate } from '#src/database/ids.ts';
import type { Day } from '../dependencies.ts';
import { dayPage, longDate, rangePage } from '../pages/day.ts';
import { layout } from '../pages/layout.ts';
import { SHOW } from '../pages/show.ts';
import { cachedPage } from '../plugins/page-cache.ts';
import { createTopicsOf } from '../topics-of.ts';
import type { Web } from '../web.ts';

/** Papers on a day's page. */
const PER_DAY = 50;
/** How long a rendered page may be served again. */
const KEPT_MS = 60_000;

const empty = (date: IsoDate): Day => ({ date, papers: [], total: 0, previous: null, next: null });

/** The start page, and the pages of days, weeks and months. Public, the same for everyone, rendered once a minute. */
export const dayRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { days, now } = web.deps;
    const cached = cachedPage(now, KEPT_MS);

    app.get('/', (request, reply) =>
      cached(request, reply, 'start', async () => {
        const today = utcDate(now());
        const newest = await days.latest(today);
        const day = newest ? await days.day(newest, PER_DAY) : empty(today);
        const subscribe = { time: web.formTimes.issue(now()) };
        return layout(web.site, dayPage(web.site, day, { ...(await showOf(web)), subscribe, today }));
      }),
    );

    app.get(
      '/day/:date',
      { schema: { params: Type.Object({ date: Type.String() }) } },
      async (request, reply) => {
        const date = parseDate(request.params.date, now());
        if (!date) return reply.callNotFound();
        return cached(request, reply, `day ${date}`, async () => {
          const day = await days.day(date, PER_DAY);
          return layout(web.site, dayPage(web.site, day, { ...(await showOf(web)), today: utcDate(now()) }));
        });
      },
    );

    app.get(
      '/week/:date',
      { schema: { params: Type.Object({ date: Type.String() }) } },
      async (request, reply) => {
        const date = parseDate(request.params.date, now());
        if (!date) return reply.callNotFound();
        const monday = addDays(date, -((new Date(date).getUTCDay() + 6) % 7));
        return cached(request, reply, `week ${monday}`, () =>
          renderRange(web, {
            from: monday,
            to: addDays(monday, 6),
            title: `The week of ${longDate(monday)}`,
            parent: 'Weeks',
            pathOf: (day) => `/week/${day}`,
          }),
        );
      },
    );

    app.get(
      '/month/:month',
      { schema: { params: Type.Object({ month: Type.String({ maxLength: 10 }) }) } },
      async (request, reply) => {
        const from = parseDate(`${request.params.month}-01`, now());
        if (!from) return reply.callNotFound();
        return cached(request, reply, `month ${from}`, () =>
          renderRange(web, {
            from,
            to: addDays(`${addDays(from, 31).slice(0, 7)}-01` as IsoDate, -1),
            title: new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
              new Date(from),
            ),
            parent: 'Months',
            pathOf: (day) => `/month/${day.slice(0, 7)}`,
          }),
        );
      },
    );
    done();
  };

/** How lists show papers: with the topics of the catalogue in force. */
const showOf = async (web: Web) => ({ ...SHOW, topicsOf: createTopicsOf(await web.deps.catalogue()) });

async function renderRange(
  web: Web,
  range: { from: IsoDate; to: IsoDate; title: string; parent: string; pathOf: (day: IsoDate) => string },
): Promise<string> {
  const best = await web.deps.days.best(range.from, range.to, PER_DAY);
  const links = {
    previous: best.previous ? range.pathOf(best.previous) : null,
    next: best.next ? range.pathOf(best.next) : null,
  };
  const page = { ...best, title: range.title, parent: range.parent, path: range.pathOf(range.from) };
  return layout(web.site, rangePage(web.site, page, links, await showOf(web)));
}

/** A date with pages: real, from 1991 (the first arXiv papers) to tomorrow. */
function parseDate(text: string, now: Date): IsoDate | null {
  try {
    const date = isoDate(text);
    return date >= '1991-01-01' && date <= addDays(utcDate(now), 1) ? date : null;
  } catch {
    return null;
  }
}
