import { createHash } from 'node:crypto';

/** Halves of the judgments: what a setting is chosen on, and what figures are then told of. */
export const SPLITS = ['tune', 'report'] as const;
export type Split = (typeof SPLITS)[number];

/** Whether a name is that of a half. */
export const isSplit = (value: string): value is Split => SPLITS.some((split) => split === value);

/**
 * The half that a family of tasks belongs to, by the parity of the first octet of its name's SHA-256: it depends on nothing else, so
 * judgments that are added later move none of the others.
 * @param family tasks that tell of one another have one name: all lists of a repository, the facets of one paper
 */
export const splitOf = (family: string): Split =>
  (createHash('sha256').update(family).digest()[0] as number) % 2 === 0 ? 'tune' : 'report';
