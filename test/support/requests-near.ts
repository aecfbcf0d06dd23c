import fc from 'fast-check';
import type { RouteOptions } from 'fastify';

/** A request as the fuzz sends it. */
export type FuzzRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly type: string;
};

/** What the fuzz knows of a JSON schema. */
type Schema = {
  type?: string | string[];
  anyOf?: Schema[];
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
};

/** Values that mean something here, by the name of a field or of a part of the path. */
export type GoodValues = Readonly<Record<string, readonly unknown[]>>;

const NASTY = [
  '',
  '\u0000',
  '%00',
  '%',
  '%ff',
  '..',
  '../../etc/passwd',
  "' or 1=1 --",
  '<script>',
  '\r\nX: y',
  '-1',
  '0',
  '99999999999999999999',
  'NaN',
  'null',
  '[]',
  '{}',
  '2026-02-30',
  '9999-12-31',
  '0000-01-01',
  'a'.repeat(2000),
  '\ud800',
  'arxiv:',
  '((((',
  '"',
  ':*',
  'σ',
];

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(...NASTY),
);

const instant = fc.oneof(
  fc.date({ noInvalidDate: true, min: new Date('0000-01-01'), max: new Date('9999-12-31') }),
  fc.constantFrom('0000-01-01T00:00:00Z', '2016-12-31T23:59:60Z', '9999-12-31T23:59:59-12:00'),
);

/**
 * Requests for a route: what its schemas take, or nearly. Half of them are wild: any field may be anything, and the
 * content of a type that the route doesn't read. The others get past the door, to what schemas can't see.
 */
export function requestsNear(route: RouteOptions, good: GoodValues): fc.Arbitrary<FuzzRequest> {
  const schema = (route.schema ?? {}) as { params?: Schema; querystring?: Schema; body?: Schema };
  const usual = route.url.includes('/api/') ? 'application/json' : 'application/x-www-form-urlencoded';
  return fc.boolean().chain((isWild) => {
    const { fitting, near } = valuesOf(good, isWild);
    const params = schema.params?.properties ?? {};
    const parts = route.url.split(/:(\w+)/).map((part, i) => {
      if (i % 2 === 0) return fc.constant(part);
      return near(params[part] ?? {}, part).map((value) => encodeURIComponent(textOf(value).toWellFormed()));
    });
    return fc.record({
      method: fc.constant(String(route.method) as FuzzRequest['method']),
      path: fc.tuple(...parts).map((filled) => filled.join('')),
      query: fitting({ type: 'object', ...schema.querystring }, 'query') as fc.Arbitrary<
        Record<string, unknown>
      >,
      body: near({ type: 'object', ...schema.body }, 'body'),
      type: isWild
        ? fc.constantFrom(usual, 'application/json', 'text/plain', 'multipart/form-data; boundary=x')
        : fc.constant(usual),
    });
  });
}

/** Arbitrary values of a schema: those it takes, at its edges too, and in a wild request whatever there is. */
function valuesOf(good: GoodValues, isWild: boolean) {
  const near = (schema: Schema, name: string): fc.Arbitrary<unknown> =>
    isWild
      ? fc.oneof(
          { arbitrary: fitting(schema, name), weight: 6 },
          { arbitrary: nasty, weight: 2 },
          { arbitrary: fc.jsonValue(), weight: 1 },
        )
      : fitting(schema, name);

  function fitting(schema: Schema, name: string): fc.Arbitrary<unknown> {
    const free = ofType(schema, name);
    const known = schema.items || schema.properties ? undefined : good[name];
    return known ? fc.oneof({ arbitrary: fc.constantFrom(...known), weight: isWild ? 5 : 30 }, free) : free;
  }

  function ofType(schema: Schema, name: string): fc.Arbitrary<unknown> {
    if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => near(one, name)));
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (schema.const !== undefined) return fc.constant(schema.const);
    const { minimum: min = schema.exclusiveMinimum ?? -10, maximum: max = 10_000 } = schema;
    switch ([schema.type].flat()[0] ?? 'string') {
      case 'integer':
        return fc.integer({ min, max });
      case 'number':
        return fc.double({ min, minExcluded: schema.exclusiveMinimum !== undefined, max, noNaN: true });
      case 'boolean':
        return fc.boolean();
      case 'array':
        return fc.array(near(schema.items ?? {}, name), { minLength: 1, maxLength: 3 });
      case 'object':
        return fc.record(fieldsOf(schema), { requiredKeys: schema.required ?? [] });
      case 'null':
        return fc.constant(null);
      default:
        if (schema.format === 'date-time')
          return instant.map((at) => (typeof at === 'string' ? at : at.toISOString()));
        return schema.pattern ? fc.stringMatching(new RegExp(schema.pattern)) : text(schema);
    }
  }

  /** Characters that people see; some of them count as several. */
  const text = ({ minLength = 0, maxLength = 80 }: Schema) =>
    isWild
      ? nasty
      : fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(minLength + 20, maxLength >> 1) });

  const fieldsOf = (schema: Schema) =>
    Object.fromEntries(
      Object.entries(schema.properties ?? { x: {} }).map(([field, one]) => [field, near(one, field)]),
    );
  return { fitting, near };
}

/** A value as a form or an address writes it. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');

/** Fields as a form or an address writes them: a list is the same field several times. */
export function formOf(fields: object): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, textOf(one)]),
  );
  return new URLSearchParams(pairs).toString();
}
