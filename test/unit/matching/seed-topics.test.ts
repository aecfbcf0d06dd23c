import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTopicMatcher } from '#src/matching/catalogue-match.ts';
import { readPaper } from '#src/matching/text/phrase-finder.ts';
import { CATALOGUE } from '#src/topics/catalogue.ts';
import { hasSharedData, sharedData, skipNote } from '#test/support/shared-data.ts';

type Label = {
  title: string;
  topics: string[];
  also_ok: string[];
  listed: { page: string }[];
};

describe.skipIf(!hasSharedData)(`topics of hand-labelled papers${skipNote}`, () => {
  it('are assigned with F1 of at least .85', () => {
    const match = createTopicMatcher(CATALOGUE);
    const counts = { right: 0, wrong: 0, missed: 0 };
    for (const label of readLabels()) {
      const found = [...match(readPaper({ title: label.title, abstract: abstractOf(label) })).keys()];
      counts.right += found.filter((slug) => label.topics.includes(slug)).length;
      counts.wrong += found.filter((slug) => ![...label.topics, ...label.also_ok].includes(slug)).length;
      counts.missed += label.topics.filter((slug) => !found.includes(slug)).length;
    }
    const f1 = (2 * counts.right) / (2 * counts.right + counts.wrong + counts.missed);
    expect(f1).toBeGreaterThan(0.85);
  });
});

const readLabels = (): Label[] =>
  readFileSync(join(sharedData, 'seed-topics/labels.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Label);

/** The abstract is the next long line after the title on a captured page. */
function abstractOf({ title, listed }: Label): string {
  for (const { page } of listed) {
    const lines = readFileSync(join(sharedData, 'seed-pages', page), 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes(title));
    const abstract = at < 0 ? undefined : lines.slice(at + 1).find((line) => line.length > 200);
    if (abstract) return abstract;
  }
  throw new Error(`no abstract of ${title}`);
}
