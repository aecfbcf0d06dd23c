import type { TSchema } from 'typebox';
import { Fault, Problem } from './problem.ts';
import {
  PaperIn,
  PaperOut,
  PapersIn,
  PapersStored,
  pageOf,
  TopicIn,
  TopicList,
  TopicOut,
} from './schemas.ts';
import {
  SubscriberAdded,
  SubscriberDetail,
  SubscriberIn,
  SubscriberOut,
  SubscriberPatch,
  SubscribersAdded,
  SubscribersIn,
  Tie,
} from './subscriber-schemas.ts';

/** Schemas with a name of their own in the OpenAPI description: the classes of a generated client. */
const NAMED: Readonly<Record<string, TSchema>> = {
  Paper: PaperOut,
  PaperPage: pageOf(PaperOut),
  NewPaper: PaperIn,
  NewPapers: PapersIn,
  PapersStored,
  Topic: TopicOut,
  TopicList,
  NewTopic: TopicIn,
  Subscriber: SubscriberOut,
  SubscriberPage: pageOf(SubscriberOut),
  SubscriberDetail,
  NewSubscriber: SubscriberIn,
  NewSubscribers: SubscribersIn,
  SubscriberAdded,
  SubscribersAdded,
  SubscriberChange: SubscriberPatch,
  Tie,
  Problem,
  Fault,
};

/**
 * An OpenAPI document in which every schema that has a name is a reference to `#/components/schemas/…`. Without it a
 * generator makes a class for each place a paper occurs in.
 */
export function nameSchemas<Document extends { readonly components?: object }>(document: Document): Document {
  const names = new Map(Object.entries(NAMED).map(([name, schema]) => [JSON.stringify(schema), name]));
  const inside = (value: object): object =>
    Array.isArray(value)
      ? value.map(visit)
      : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, visit(one)]));
  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const name = names.get(JSON.stringify(value));
    return name ? { $ref: `#/components/schemas/${name}` } : inside(value);
  };
  const schemas = Object.fromEntries(Object.entries(NAMED).map(([name, schema]) => [name, inside(schema)]));
  const named = visit(document) as Document;
  return { ...named, components: { ...named.components, schemas } };
}
