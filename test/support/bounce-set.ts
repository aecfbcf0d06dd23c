import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedData } from './shared-data.ts';

const FOLDER = join(sharedData, 'bounces');

/** False where the set of real bounces is not at hand. */
export const hasBounces = existsSync(join(FOLDER, 'expected.jsonl'));

/** What one recipient's part of a mail should be read as. */
export type ExpectedBounce = {
  readonly status: string;
  readonly replycode: string;
  readonly reason: string;
  readonly hardbounce: boolean;
  readonly feedback?: string;
};

/** The real bounces, complaints and other mails, each with what it should be read as; empty: not a bounce. */
export function realBounces(): readonly {
  readonly file: string;
  readonly raw: Buffer;
  readonly expected: readonly ExpectedBounce[];
}[] {
  return readFileSync(join(FOLDER, 'expected.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { file: string; expected: ExpectedBounce[] })
    .map(({ file, expected }) => ({ file, expected, raw: readFileSync(join(FOLDER, file)) }));
}
