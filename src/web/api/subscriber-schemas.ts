import { type Static, Type } from 'typebox';
import { LANGUAGES } from '#src/mail/languages.ts';
import type { StoredSubscriber } from '#src/subscribers/subscriber-store.ts';
import { FOLLOW_WEIGHT, type Follow } from '#src/topics/topic.ts';
import { dateOrNull, fraction, instantOrNull, oneOf } from './schemas.ts';

/** What is followed or muted. */
export const Tie = Type.Object(
  {
    kind: Type.String({ description: 'topic, category, author, organisation, query, paper or trending' }),
    value: Type.String({ maxLength: 1000 }),
    weight: Type.Optional(fraction({ ...FOLLOW_WEIGHT, description: '1 is usual' })),
  },
  { additionalProperties: false },
);

const Hour = Type.Integer({ minimum: 0, maximum: 23 });
const Frequency = oneOf('daily', 'weekdays', 'weekly');

/** What a subscriber chooses beside the schedule; in the order of the preferences page. */
const Content = {
  papersPerDigest: Type.Integer({ minimum: 1, maximum: 50 }),
  dial: Type.Integer({ minimum: 0, maximum: 100, description: '0: taste only … 100: what trends only' }),
  language: oneOf(...LANGUAGES),
  fillWithTrending: Type.Boolean({ description: 'fill up with trending papers when few match' }),
  tellNothingToday: Type.Boolean({ description: 'a mail that says so on a day without papers' }),
  reminders: Type.Boolean({ description: 'a paper marked "not now" comes again, once' }),
  sections: Type.Boolean({ description: 'papers grouped by topic' }),
  images: Type.Boolean(),
};

/** A subscriber as the API gives it. */
export const SubscriberOut = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  state: oneOf('pending', 'active', 'paused', 'unsubscribed'),
  timezone: Type.String(),
  hour: Hour,
  frequency: Frequency,
  weekdays: Type.Integer({ description: 'bit 0 = Monday … bit 6 = Sunday' }),
  ...Content,
  language: Type.String(),
  nextDigestAt: instantOrNull(),
  pausedUntil: dateOrNull(),
  createdAt: Type.String({ format: 'date-time' }),
  confirmedAt: instantOrNull(),
});

/** See {@link SubscriberOut}. */
export const subscriberOut = (
  subscriber: StoredSubscriber & { readonly email: string },
): Static<typeof SubscriberOut> => ({
  id: subscriber.publicId,
  email: subscriber.email,
  state: subscriber.state,
  timezone: subscriber.timezone,
  hour: subscriber.hour,
  frequency: subscriber.frequency,
  weekdays: subscriber.weekdays,
  papersPerDigest: subscriber.papersPerDigest,
  dial: subscriber.dial,
  language: subscriber.language,
  fillWithTrending: subscriber.fillWithTrending,
  tellNothingToday: subscriber.tellNothingToday,
  reminders: subscriber.reminders,
  sections: subscriber.sections,
  images: subscriber.images,
  nextDigestAt: subscriber.nextDigestAt?.toISOString() ?? null,
  pausedUntil: subscriber.pausedUntil,
  createdAt: subscriber.createdAt.toISOString(),
  confirmedAt: subscriber.confirmedAt?.toISOString() ?? null,
});

/** A subscriber with what they follow. */
export const SubscriberDetail = Type.Object({
  ...SubscriberOut.properties,
  follows: Type.Array(Tie),
  mutes: Type.Array(Tie),
});

/** Ties in the form of {@link Tie}: mutes without their sign. */
export const tiesOut = (ties: readonly Follow[]): Static<typeof Tie>[] =>
  ties.map(({ kind, value, weight }) => ({ kind, value, weight: Math.abs(weight) }));

/** One of the subscribers to be added. */
export const SubscriberIn = Type.Object(
  {
    email: Type.String({ maxLength: 320 }),
    timezone: Type.Optional(Type.String({ maxLength: 64 })),
    hour: Type.Optional(Hour),
    frequency: Type.Optional(Frequency),
    follows: Type.Optional(Type.Array(Tie, { maxItems: 500 })),
    mutes: Type.Optional(Type.Array(Tie, { maxItems: 500 })),
  },
  { additionalProperties: false },
);

/** Subscribers to be added. The lines are checked one by one, see `parseSubscriberValue`. */
export const SubscribersIn = Type.Object(
  {
    consent: Type.String({
      minLength: 3,
      maxLength: 500,
      description: 'where you have their consent from; kept with each of them',
    }),
    subscribers: Type.Array(SubscriberIn, { minItems: 1, maxItems: 1000 }),
  },
  { additionalProperties: false },
);

/** A subscriber who was added, and the id they are known by. */
export const SubscriberAdded = Type.Object({ email: Type.String(), id: Type.String({ format: 'uuid' }) });

/** What became of subscribers that were sent. */
export const SubscribersAdded = Type.Object({
  added: Type.Array(SubscriberAdded),
  exists: Type.Array(Type.String()),
  suppressed: Type.Array(Type.String()),
});

/** A change of a subscriber; what is absent stays. `follows` and `mutes` replace all of theirs, together. */
export const SubscriberPatch = Type.Object(
  {
    timezone: Type.Optional(Type.String({ maxLength: 64 })),
    hour: Type.Optional(Hour),
    frequency: Type.Optional(Frequency),
    weekdays: Type.Optional(Type.Integer({ minimum: 1, maximum: 127 })),
    ...Type.Partial(Type.Object(Content)).properties,
    follows: Type.Optional(Type.Array(Tie, { maxItems: 250 })),
    mutes: Type.Optional(Type.Array(Tie, { maxItems: 250 })),
  },
  { additionalProperties: false },
);
