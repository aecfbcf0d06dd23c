import { expect, test } from 'vitest';
import type { Database } from '#src/database/database.ts';
import { heldTokensOf } from '#src/database/held-tokens.ts';

const claimOf = (answer: Promise<number>) => [() => answer, (token: number) => token] as const;

test('a token is held from its claim on until it is dropped; others under the same name are strays', async () => {
  const tokens = heldTokensOf({} as Database);
  await tokens.take(...claimOf(Promise.resolve(1)));
  expect(await tokens.strays(async () => [1, 2])).toEqual([2]);
  tokens.drop(1);
  expect(await tokens.strays(async () => [1, 2])).toEqual([1, 2]);
  expect(await tokens.strays(async () => [])).toEqual([]);
});

test('the token of a claim whose answer is on its way is no stray, that of one which fails is', async () => {
  const tokens = heldTokensOf({} as Database);
  const answered = Promise.withResolvers<number>();
  const broken = Promise.withResolvers<number>();
  const claims = [answered, broken].map(({ promise }) => tokens.take(...claimOf(promise)));
  const strays = tokens.strays(async () => [3, 4]);
  answered.resolve(3);
  broken.reject(new Error('Connection terminated unexpectedly'));
  expect(await strays).toEqual([4]);
  await Promise.allSettled(claims);
});

test('stores of one database know of each other’s tokens', () => {
  const database = {} as Database;
  expect(heldTokensOf(database)).toBe(heldTokensOf(database));
});
