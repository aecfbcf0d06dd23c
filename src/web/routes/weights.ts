import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { topicKey } from '#src/topics/parse-topic.ts';
import { FOLLOW_WEIGHT } from '#src/topics/topic.ts';
import { goTo, isGone, readReader, sendDeadLink, TokenParams, visitOf, type Web } from '../web.ts';

/** As the form of pages/weights.ts sends it: topics and their weights, in the same order. */
const WeightsBody = Type.Object({
  topics: Type.Array(Type.String({ maxLength: 1100 }), { default: [], maxItems: 500 }),
  weights: Type.Array(Type.Number(FOLLOW_WEIGHT), { default: [], maxItems: 500 }),
});

/** Changes how much followed topics count. What is not followed (any more) is passed over. */
export const weightsRoutes =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { subscribers } = web.deps;
    app.post(
      '/preferences/:token/weights',
      { schema: { params: TokenParams, body: WeightsBody } },
      async (request, reply) => {
        const { token } = request.params;
        const reader = await readReader(web, request, 'preferences', token);
        if (!reader) return sendDeadLink(web, reply);
        const { topics, weights } = request.body;
        const wanted = new Map(topics.map((topic, at) => [topic, weights[at]]));
        const { follows, mutes } = await subscribers.followsOf(reader.subscriber.id);
        const weighed = follows.map((follow) => ({
          ...follow,
          weight: wanted.get(topicKey(follow)) ?? follow.weight,
        }));
        const change = { follows: [...weighed, ...mutes] };
        const outcome = await subscribers.updatePreferences(reader.who, change, visitOf(request));
        return isGone(request, outcome)
          ? sendDeadLink(web, reply)
          : goTo(web, reply, `/preferences/${token}?saved=1#weights`);
      },
    );
    done();
  };
