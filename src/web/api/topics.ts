import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Web } from '../web.ts';
import { FAULTS, sendProblem } from './problem.ts';
import { TopicIn, TopicList, TopicOut, topicOut } from './schemas.ts';

const SlugParams = Type.Object({
  slug: Type.String({
    pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
    maxLength: 60,
    description: 'such as diffusion-models',
  }),
});

/** The topic catalogue: public to read, `topics:write` to edit. */
export const topicApi =
  (web: Web): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { api, catalogue } = web.deps;

    app.get(
      '/topics',
      {
        schema: {
          operationId: 'listTopics',
          summary: 'The topic catalogue',
          tags: ['topics'],
          response: { 200: TopicList, ...FAULTS },
        },
      },
      async () => ({ items: (await catalogue()).map(topicOut) }),
    );

    app.put(
      '/topics/:slug',
      {
        config: { scope: 'topics:write' },
        schema: {
          operationId: 'putTopic',
          summary: 'Add a topic, or edit one',
          description: 'An edited topic is no longer changed by updates of the software.',
          tags: ['topics'],
          security: [{ apiKey: [] }],
          params: SlugParams,
          body: TopicIn,
          response: { 200: TopicOut, ...FAULTS },
        },
      },
      async (request) => {
        const { titleTriggers = [], description = '', ...body } = request.body;
        const topic = { slug: request.params.slug, titleTriggers, description, ...body };
        await api.putTopic(topic);
        return topicOut(topic);
      },
    );

    app.delete(
      '/topics/:slug',
      {
        config: { scope: 'topics:write' },
        schema: {
          operationId: 'hideTopic',
          summary: 'Take a topic out of the catalogue',
          description: 'Those who follow it keep it in their list; it matches nothing any more.',
          tags: ['topics'],
          security: [{ apiKey: [] }],
          params: SlugParams,
          response: { 204: Type.Null(), ...FAULTS },
        },
      },
      async (request, reply) => {
        const hidden = await api.hideTopic(request.params.slug);
        return hidden ? reply.code(204).send(null) : sendProblem(reply, 404, 'There is no such topic.');
      },
    );
    done();
  };
