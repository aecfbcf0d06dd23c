import type { Database } from './database.ts';

/**
 * The fencing tokens that this process works under. A claim whose answer never came (the connection broke when the server
 * had done it) is held in the database by a live process that knows nothing of it: it is found by comparing the two.
 */
export type HeldTokens = {
  /**
   * Runs a claim.
   * @param tokenOf the token it answers with, which is held from then on; undefined: nothing was claimed
   * @throws what the claim throws: whatever it took is then a stray
   */
  take<Result>(
    claim: () => Promise<Result>,
    tokenOf: (result: Result) => number | undefined,
  ): Promise<Result>;
  /** Nothing more is done under this token. */
  drop(token: number): void;
  /** Those of the tokens that `read` finds in the database under this process's name that it doesn't work under. */
  strays(read: () => Promise<readonly number[]>): Promise<number[]>;
};

const ofDatabases = new WeakMap<Database, HeldTokens>();

/** What this process holds in a database: the same for all stores of it. */
export function heldTokensOf(database: Database): HeldTokens {
  const known = ofDatabases.get(database) ?? createHeldTokens();
  ofDatabases.set(database, known);
  return known;
}

function createHeldTokens(): HeldTokens {
  const held = new Set<number>();
  const claims = new Set<Promise<unknown>>();
  return {
    take: async (claim, tokenOf) => {
      const claiming = claim().then((result) => {
        const token = tokenOf(result);
        if (token !== undefined) held.add(token);
        return result;
      });
      claims.add(claiming);
      try {
        return await claiming;
      } finally {
        claims.delete(claiming);
      }
    },
    drop: (token) => void held.delete(token),
    strays: async (read) => {
      const found = await read();
      if (found.length === 0) return [];
      // One that was read may be of a claim whose answer is on its way.
      await Promise.allSettled(claims);
      return found.filter((token) => !held.has(token));
    },
  };
}
