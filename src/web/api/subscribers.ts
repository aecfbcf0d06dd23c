import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { type NewSubscriber, parseSubscriberValue } from '#src/subscribers/lines.ts';
import type { StoredSubscriber } from '#src/subscribers/subscriber-store.ts';
import { parseZone } from '#src/subscribers/zones.ts';
import { parseTopic } from '#src/topics/parse-topic.ts';
import type { CatalogueTopic, Follow } from '#src/topics/topic.ts';
import { visitOf, type Web } from '../web.ts';
import { FAULTS, type Problem, sendProblem } from './problem.ts';
import { fromCursor, PageQuery, PER_PAGE, pageOf, toCursor } from './schemas.ts';
import {
  SubscriberDetail,
  SubscriberOut,
  SubscriberPatch,
  SubscribersAdded,
  SubscribersIn,
  subscriberOut,
  type Tie,
  tiesOut,
} from './subscriber-schemas.ts';

const IdParams = Type.Object({ id: Type.String({ format: 'uuid' }) });
const security = [{ apiKey: [] }];
/** Generated clients write a boolean of the query as their language does: Python `True`, Perl `1`. */
const BOOLEANS = new Map([
  ['True', true],
  ['1', true],
  ['False', false],
  ['0', false],
]);
type Faults = NonNullable<Problem['errors']>;

/** Subscribers: `subscribers:read` and `subscribers:write`. */
export const subscriberApi =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { api, subscribers } = web.deps;

    app.get(
      '/subscribers',
      {
        config: { scope: 'subscribers:read' },
        schema: {
          operationId: 'listSubscribers',
          summary: 'All subscribers, in the order they came',
          tags: ['subscribers'],
          security,
          querystring: Type.Object({
            ...PageQuery.properties,
            state: Type.Optional(SubscriberOut.properties.state),
          }),
          response: { 200: pageOf(SubscriberOut), ...FAULTS },
        },
      },
      async (request, reply) => {
        const { limit = PER_PAGE, cursor, state } = request.query;
        const after = fromCursor(cursor);
        if (after === null) return sendProblem(reply, 400, 'cursor: use `next` of the page before.');
        const found = await api.listSubscribers({ after, limit: limit + 1, ...(state ? { state } : {}) });
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          items: page.filter(hasAddress).map(subscriberOut),
          next: found.length > limit && last ? toCursor(last.id) : null,
        };
      },
    );

    app.get(
      '/subscribers/:id',
      {
        config: { scope: 'subscribers:read' },
        schema: {
          operationId: 'getSubscriber',
          summary: 'One subscriber, with what they follow',
          tags: ['subscribers'],
          security,
          params: IdParams,
          response: { 200: SubscriberDetail, ...FAULTS },
        },
      },
      async (request, reply) =>
        (await detailOf(web, request.params.id)) ?? sendProblem(reply, 404, 'There is no such subscriber.'),
    );

    app.post(
      '/subscribers',
      {
        config: { scope: 'subscribers:write' },
        schema: {
          operationId: 'addSubscribers',
          summary: 'Add subscribers who have agreed elsewhere',
          description:
            'They are active at once. Known addresses, and those that left or bounced, are left as they are. One faulty line and none is added.',
          tags: ['subscribers'],
          security,
          body: SubscribersIn,
          response: {
            200: SubscribersAdded,
            ...FAULTS,
          },
        },
      },
      async (request, reply) => {
        const { lines, faults } = await parseLines(web, request.body.subscribers);
        if (faults.length > 0)
          return sendProblem(reply, 422, 'Nobody was added: some lines have faults.', faults);
        const visit = visitOf(request);
        const report = await subscribers.addSubscribers(lines, request.body.consent, { visit });
        const publicIds = await api.publicIds(report.added.map(({ id }) => id));
        const added = report.added.map(({ email, id }) => ({ email, id: publicIds.get(id) ?? '' }));
        return { ...report, added };
      },
    );

    app.patch(
      '/subscribers/:id',
      {
        config: { scope: 'subscribers:write' },
        schema: {
          operationId: 'changeSubscriber',
          summary: 'Change what a subscriber gets, and when',
          tags: ['subscribers'],
          security,
          params: IdParams,
          body: SubscriberPatch,
          response: { 200: SubscriberDetail, ...FAULTS },
        },
      },
      async (request, reply) => {
        const current = await detailOf(web, request.params.id);
        if (!current) return sendProblem(reply, 404, 'There is no such subscriber.');
        const { follows, mutes, timezone, ...rest } = request.body;
        const zone = timezone === undefined ? undefined : parseZone(timezone);
        if (zone === null)
          return sendProblem(reply, 422, 'timezone: an IANA time zone such as Europe/Berlin.');
        const ties = parseTies(
          await web.deps.catalogue(),
          follows ?? current.follows,
          mutes ?? current.mutes,
        );
        if (ties.faults.length > 0) return sendProblem(reply, 422, 'Nothing was changed.', ties.faults);
        const outcome = await subscribers.updatePreferences(
          { publicId: request.params.id },
          {
            preferences: { ...rest, ...(zone === undefined ? {} : { timezone: zone }) },
            ...(follows || mutes ? { follows: ties.follows } : {}),
          },
          visitOf(request),
        );
        if (outcome.type !== 'saved') return sendProblem(reply, 404, 'There is no such subscriber.');
        return (
          (await detailOf(web, request.params.id)) ?? sendProblem(reply, 404, 'There is no such subscriber.')
        );
      },
    );

    app.delete(
      '/subscribers/:id',
      {
        config: { scope: 'subscribers:write' },
        schema: {
          operationId: 'removeSubscriber',
          summary: 'Unsubscribe somebody, or erase all that is known of them',
          tags: ['subscribers'],
          security,
          params: IdParams,
          querystring: Type.Object({ erase: Type.Optional(Type.Boolean({ default: false })) }),
          response: { 204: Type.Null(), ...FAULTS },
        },
        preValidation: async ({ query }) => {
          const meant = BOOLEANS.get(String(query.erase));
          if (meant !== undefined) query.erase = meant;
        },
      },
      async (request, reply) => {
        const who = { publicId: request.params.id };
        const visit = visitOf(request);
        const outcome = request.query.erase
          ? await subscribers.erase(who, visit)
          : await subscribers.unsubscribe(who, 'operator', visit);
        return outcome.type === 'done'
          ? reply.code(204).send(null)
          : sendProblem(reply, 404, 'There is no such subscriber.');
      },
    );
    done();
  };

const hasAddress = (subscriber: StoredSubscriber): subscriber is StoredSubscriber & { email: string } =>
  subscriber.email !== null;

async function detailOf(web: Web, publicId: string): Promise<Static<typeof SubscriberDetail> | null> {
  const found = await web.deps.subscribers.find({ publicId });
  if (found.type !== 'ok') return null;
  const ties = await web.deps.subscribers.followsOf(found.subscriber.id);
  return { ...subscriberOut(found.subscriber), follows: tiesOut(ties.follows), mutes: tiesOut(ties.mutes) };
}

async function parseLines(web: Web, values: Static<typeof SubscribersIn>['subscribers']) {
  const context = { ...web.deps.api.lineContext, catalogue: await web.deps.catalogue() };
  const lines: NewSubscriber[] = [];
  const faults: Faults = [];
  for (const [i, value] of values.entries()) {
    const parsed = parseSubscriberValue(value, context);
    if (parsed.type === 'ok') lines.push(parsed.subscriber);
    else faults.push(...parsed.messages.map((message) => ({ field: `body.subscribers.${i}`, message })));
  }
  return { lines, faults };
}

function parseTies(
  catalogue: readonly CatalogueTopic[],
  follows: readonly Static<typeof Tie>[],
  mutes: readonly Static<typeof Tie>[],
): { follows: Follow[]; faults: Faults } {
  const faults: Faults = [];
  const read = (field: string, ties: readonly Static<typeof Tie>[], sign: 1 | -1): Follow[] =>
    ties.flatMap((tie, i) => {
      const parsed = parseTopic(tie.kind, tie.value, catalogue);
      if (parsed.type === 'ok') return [{ ...parsed.topic, weight: sign * (tie.weight ?? 1) }];
      faults.push({ field: `body.${field}.${i}`, message: parsed.message });
      return [];
    });
  return { follows: [...read('follows', follows, 1), ...read('mutes', mutes, -1)], faults };
}
