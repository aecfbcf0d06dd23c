import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arxivIdOf, doiOf, identifiersOf, parseArxivId, titleKey } from '#src/papers/identity.ts';

describe('arXiv identifiers', () => {
  it.each([
    '2606.01234',
    'arXiv:2606.01234v3',
    'ARXIV: 2606.01234',
    'arXiv:2606.01234v1 [cs.CL] 3 Jun 2026',
    'oai:arXiv.org:2606.01234v1',
    'http://arxiv.org/abs/2606.01234v1',
    'https://www.arxiv.org/abs/2606.01234?context=cs.LG',
    'https://export.arxiv.org/pdf/2606.01234v2.pdf',
    'arxiv.org/pdf/2606.01234#page=3',
    'https://arxiv.org/html/2606.01234v2/',
    'https://huggingface.co/papers/2606.01234',
    '10.48550/arXiv.2606.01234',
    'https://doi.org/10.48550/ARXIV.2606.01234',
  ])('reads %s', (text) => expect(arxivIdOf(text)).toBe('2606.01234'));

  it.each([
    ['math/0601001', 'math/0601001'],
    ['math.GT/0309136v2', 'math/0309136'],
    ['https://arxiv.org/abs/quant-ph/0201082v1', 'quant-ph/0201082'],
    ['http://arxiv.org/pdf/astro-ph/0601001.pdf', 'astro-ph/0601001'],
    ['cond-mat/9901001', 'cond-mat/9901001'],
    ['0808.0539', '0808.0539'],
  ])('reads %s as %s', (text, id) => expect(arxivIdOf(text)).toBe(id));

  it.each([
    '',
    'abc',
    '0000.0000',
    '2613.01234',
    '12.2606',
    '2606.012',
    '10.1101/641381',
    'https://example.org/2606.01234',
  ])('refuses %j', (text) => expect(arxivIdOf(text)).toBeUndefined());

  it('tells the version', () =>
    expect(parseArxivId('2606.01234v12')).toEqual({ id: '2606.01234', version: 12 }));

  it('never throws, and what it finds reads as itself', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(arXiv:)?\d{4}\.\d{4,5}(v\d)?$/)), (text) => {
        const id = arxivIdOf(text);
        if (id !== undefined) expect(arxivIdOf(id)).toBe(id);
      }),
    );
  });
});

describe('DOIs', () => {
  it.each([
    ['10.1101/641381', '10.1101/641381'],
    ['https://doi.org/10.1103/PhysRevD.93.016005', '10.1103/physrevd.93.016005'],
    ['doi: 10.1016/0370-2693(93)90498-T.', '10.1016/0370-2693(93)90498-t'],
    ['https://dx.doi.org/10.1000%2F182', '10.1000/182'],
    ['10.1101/2026.01.01.123456v2', '10.1101/2026.01.01.123456'],
  ])('reads %s as %s', (text, doi) => expect(doiOf(text)).toBe(doi));

  it.each(['', '10.1101', '11.1101/x', 'https://doi.org/%E0%A4%A', '10.1101/a b'])('refuses %j', (text) =>
    expect(doiOf(text)).toBeUndefined(),
  );
});

describe('identifiers of a record', () => {
  const texts = { title: 'T', abstract: 'A' };

  it('names the strongest first', () => {
    const record = {
      ...texts,
      sourceId: 'x7',
      arxivId: '2606.01234',
      doi: '10.1/x',
      aliases: ['doi:10.2/y'],
    };
    expect(identifiersOf('jsonl', record)).toEqual([
      'arxiv:2606.01234',
      'doi:10.1/x',
      'doi:10.2/y',
      'jsonl:x7',
    ]);
  });

  it('falls back to the source', () => {
    expect(identifiersOf('page', { ...texts, sourceId: titleKey('T') })).toEqual([`page:${titleKey('T')}`]);
  });

  it('takes titles as one when only white space and composition differ, and never by likeness', () => {
    expect(titleKey('A  caf\u00e9\n paper')).toBe(titleKey('A cafe\u0301\u00a0paper'));
    expect(titleKey('A Paper')).not.toBe(titleKey('A paper'));
    expect(titleKey('A Paper.')).not.toBe(titleKey('A Paper'));
  });
});
