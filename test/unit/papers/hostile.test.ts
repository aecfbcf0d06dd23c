import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import type { SourceItem } from '#src/papers/paper.ts';
import { readListingPage } from '#src/papers/sources/arxiv-listing-page.ts';
import { readArxivXml } from '#src/papers/sources/arxiv-xml.ts';
import { readDetails } from '#src/papers/sources/biorxiv-entry.ts';
import { readEntry } from '#src/papers/sources/huggingface-entry.ts';
import { looseListing } from '#src/papers/sources/jsonl.ts';

const now = new Date('2026-06-02T09:00:00Z');
const context = { where: 'x', day: isoDate('2026-06-02'), observedAt: now };

/** Any JSON, often with the field names that are looked for. */
const fields = (names: readonly string[]) =>
  fc.dictionary(
    fc.oneof(fc.constantFrom(...names), fc.string()),
    fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        '2606.00001',
        '10.1101/1',
        '2026-6-2',
        '\u0000',
        '\ud800',
        Number.POSITIVE_INFINITY,
        -1,
      ),
    ),
  );

/** What every item must be, so that the database and the pages can take it. */
function check(item: SourceItem) {
  if (item.type !== 'listing') return;
  const { paper, signals, listedOn, observedAt } = item.listing;
  const texts = [
    paper.title,
    paper.abstract,
    paper.sourceId,
    ...(paper.authors ?? []),
    ...(paper.categories ?? []),
    ...(paper.keywords ?? []),
  ];
  for (const text of texts) expect(text.isWellFormed() && !text.includes('\0')).toBe(true);
  expect(paper.title).not.toMatch(/^\s*$|[\r\n]/);
  for (const link of [paper.url, paper.pdfUrl, paper.codeUrl, paper.projectUrl, paper.thumbnailUrl])
    expect(link ?? 'https://').toMatch(/^https?:/i);
  for (const value of Object.values(signals ?? {}))
    expect(Number.isInteger(value) && value >= 0 && value < 2 ** 31).toBe(true);
  expect(listedOn).toMatch(/^\d{4}-\d\d-\d\d$/);
  expect(observedAt.getTime()).not.toBeNaN();
}

describe('whatever a source says, it is a storable listing or a fault', () => {
  it('Hugging Face', () => {
    const paper = fields([
      'id',
      'title',
      'summary',
      'authors',
      'upvotes',
      'submittedOnDailyAt',
      'organization',
      'githubRepo',
      'githubStars',
      'projectPage',
      'ai_keywords',
      'publishedAt',
    ]);
    const entry = fc.oneof(
      fc.jsonValue(),
      fc.record({
        paper: fc.oneof(paper, fc.jsonValue()),
        numComments: fc.jsonValue(),
        thumbnail: fc.jsonValue(),
        title: fc.jsonValue(),
      }),
    );
    fc.assert(
      fc.property(entry, (value) =>
        check(readEntry(value, { where: 'x', index: 1, day: isoDate('2026-06-02') })),
      ),
    );
  });

  it('bioRxiv', () => {
    const entry = fields([
      'doi',
      'title',
      'authors',
      'date',
      'version',
      'type',
      'category',
      'abstract',
      'published',
      'server',
      'author_corresponding_institution',
    ]);
    fc.assert(fc.property(fc.oneof(entry, fc.jsonValue()), (value) => check(readDetails(value, context))));
  });

  it('JSON lines and CSV', () => {
    const row = fields([
      'id',
      'title',
      'abstract',
      'summary',
      'authors',
      'categories',
      'doi',
      'url',
      'day',
      'published',
      'upvotes',
      'kind',
      'section',
      'github_stars',
      'version',
      'withdrawn',
    ]);
    fc.assert(
      fc.property(row, (value) => check(looseListing('jsonl', value, { now }, { where: 'x', line: 1 }))),
    );
  });

  it('arXiv’s XML and pages', () => {
    const piece = fc.constantFrom(
      '<feed>',
      '<entry>',
      '</entry>',
      '<record>',
      '</record>',
      '<header status="deleted">',
      '</header>',
      '<id>',
      '</id>',
      'http://arxiv.org/abs/2606.00001v1',
      '<title>',
      '</title>',
      'T',
      '<metadata>',
      '<arXivRaw>',
      '<arXiv>',
      '<error code="x">',
      '</error>',
      '<dt>',
      '<dd>',
      '<h3>New (showing 1 of 1 entries)</h3>',
      '<a title="Abstract" href="/abs/2606.00001">',
      '<p>',
      '<div class="list-title">',
      '</div>',
      '&',
      '&#0;',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const body = Buffer.from(pieces.join(''));
        for (const item of [...readArxivXml(body, context), ...readListingPage(body, context)]) check(item);
      }),
    );
  });
});
