import type { Stage } from './stage.ts';

/** What a case is given. */
export type CaseContext = {
  readonly stage: Stage;
  readonly readers: number;
  /** How many kills the random ones make. */
  readonly kills: number;
  /** Seeded, uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves when at least this share of the readers' messages were taken, or nothing moves any more. */
  readonly taken: (share: number) => Promise<void>;
};

/** What a case leaves behind for the judge. */
export type CaseEnd = {
  /** Kills of workers, or breaks of connections: each may leave one digest per connection in doubt. */
  readonly bound: number;
  /** Addresses that must have got nothing. */
  readonly forbidden?: ReadonlySet<string>;
};

/** One fault and how it is brought about. */
export type Case = {
  readonly name: string;
  /** `small-disk`: a file system of its own for PostgreSQL; `container`: a namespace of its own for a worker. Both take root. */
  readonly needs?: 'redis' | 'postgres' | 'small-disk' | 'container';
  /** Digests are planned by the workers of the case instead of beforehand. */
  readonly unplanned?: boolean;
  play(context: CaseContext): Promise<CaseEnd>;
};
