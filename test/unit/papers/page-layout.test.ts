import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPageLayout } from '#src/papers/sources/page-layout.ts';

const ABSTRACT = 'We study a thing at length. '.repeat(20).trim();
const pairs = (count: number) =>
  Array.from({ length: count }, (_, n) => [`Paper Number ${n}`, `${ABSTRACT} No. ${n}`]);
const header = [
  'new',
  'Get trending papers in your email inbox!',
  'Subscribe',
  'byAK and the research community',
  'Mar 11',
];

/** What of a layout a test compares. */
function titles(text: string) {
  const layout = readPageLayout(text);
  return layout.type === 'page'
    ? layout.entries.map(({ title }) => title)
    : `${layout.line}: ${layout.message}`;
}

const expected = pairs(3).map(([title]) => title);
const body = pairs(3).flat();

describe('the header of a captured page', () => {
  it.each([
    ['blank lines between', [...header, ...body].join('\n\n')],
    ['no blank lines', [...header, ...body].join('\n')],
    ['CRLF, a byte order mark and a trailing newline', `\uFEFF${[...header, ...body, ''].join('\r\n')}`],
    [
      'no-break spaces',
      [...header.slice(0, 3), 'by\u00a0AK and the research\u00a0community', '\u00a0', ...body].join('\n'),
    ],
    [
      'Daily Papers, no date',
      ['Get trending papers in your email inbox!', 'Subscribe', 'Daily Papers', 'by AK', ...body].join('\n'),
    ],
    [
      'two invitations, glued',
      `Get trending papers in your email inbox once a day!\nGet trending papers in your email inbox!\nSubscribe${body.join('\n')}`,
    ],
    [
      'a full date',
      ['Daily Papers', 'by @AK and the research community', 'Tuesday, March 11, 2025', ...body].join('\n'),
    ],
    ['everything glued', `Subscribe${body.join('\n\n')}`],
    [
      'more glued',
      `Get trending papers in your email inbox!Subscribe\nDaily PapersbyAK and the research communityMar 14${body.join('\n')}`,
    ],
    [
      'a menu above',
      [
        'Hugging Face',
        'Models',
        'Datasets',
        'Log In',
        'Daily Papers',
        'by AK',
        'Previous',
        'Mar 3 - Mar 7',
        ...body,
      ].join('\n'),
    ],
    ['a month', ['Daily Papers', 'March 2025', ...body].join('\n')],
    ['a week', ['Daily Papers', 'Week 12, 2025', ...body].join('\n')],
    ['a period', ['Daily Papers', 'Mar 10 – 14, 2025', ...body].join('\n')],
  ])('%s', (_, text) => expect(titles(text)).toEqual(expected));

  it.each(['σ-GPTs: A New Approach', 'nanoGPT in the Small', '3D Things', '"Quoted" Things'])(
    'unglues a first title such as %s',
    (title) => expect(titles(`Subscribe${title}\n${ABSTRACT}`)).toEqual([title]),
  );

  it.each([
    'Subscriber Churn Prediction',
    'Subscribe to Win',
    'New Results on Old Things',
    'May 2024 in Review: A Study',
    'March of the Models',
  ])('leaves a title such as %s whole', (title) =>
    expect(titles(['Daily Papers', title, ABSTRACT].join('\n'))).toEqual([title]),
  );

  it('takes a second "Subscribe" for a title’s', () => {
    expect(titles(['Subscribe', 'SubscribeNet: Learning to Subscribe', ABSTRACT].join('\n'))).toEqual([
      'SubscribeNet: Learning to Subscribe',
    ]);
  });

  it('refuses what is no such page', () => {
    expect(titles([`A long line ${'x'.repeat(60)}`, 'Subscribe', ...body].join('\n'))).toMatch(
      /^1: .*line of the header/,
    );
    expect(titles('')).toMatch(/^1: .*empty/);
    expect(titles('<!doctype html>\n<p>Subscribe</p>')).toMatch(/^1: .*not the header/);
    expect(titles(body.join('\n'))).toMatch(/^1: .*not the header/);
    expect(titles(header.join('\n\n'))).toMatch(/^9: no papers/);
  });
});

describe('the alternation of titles and abstracts', () => {
  const lines = ['Daily Papers', ...pairs(8).flat()];

  it('is refused at the line where it breaks, whichever line is missing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: lines.length - 1 }), (missing) => {
        const layout = readPageLayout(lines.toSpliced(missing, 1).join('\n'));
        const atEnd = missing === lines.length - 1;
        expect(layout).toMatchObject({ type: 'unknown-layout', line: atEnd ? missing : missing + 1 });
      }),
    );
  });

  it('is refused when an even number of lines is missing or swapped', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (one, other) => {
        fc.pre(one % 2 !== other % 2);
        const left = lines.filter((_, index) => index !== one && index !== other);
        // Without a neighbouring title and abstract the page is a shorter page.
        fc.pre(Math.abs(one - other) > 1);
        expect(readPageLayout(left.join('\n')).type).toBe('unknown-layout');
      }),
    );
  });

  it.each([
    ['a footer', [...lines, 'Previous', '1', '2', 'Next'], 19],
    ['a menu after the header', ['Daily Papers', 'Submit a paper', ...pairs(1).flat()], 3],
    ['a wrapped abstract', ['Daily Papers', 'Title', ABSTRACT, ABSTRACT], 4],
    ['a cut abstract', ['Daily Papers', 'Title', 'We study'], 3],
  ])('refuses %s', (_, text, line) =>
    expect(readPageLayout(text.join('\n'))).toMatchObject({ type: 'unknown-layout', line }),
  );

  it('keeps texts as they are', () => {
    const abstract = `From <b> & \\alpha {x} 100% "q" ${ABSTRACT} see https://example.org/x`;
    expect(readPageLayout(`Daily Papers\nσ-GPTs\n${abstract}`)).toEqual({
      type: 'page',
      entries: [{ title: 'σ-GPTs', abstract, line: 2 }],
    });
  });
});
