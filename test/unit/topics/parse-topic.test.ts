import { describe, expect, it } from 'vitest';
import { nameTokens, sameAuthor } from '#src/topics/names.ts';
import { parseTopic } from '#src/topics/parse-topic.ts';

describe('a topic from outside', () => {
  it.each([
    ['topic', 'diffusion-models', 'diffusion-models'],
    ['topic', ' Diffusion Models', 'diffusion-models'],
    ['category', 'CS.cl', 'cs.CL'],
    ['category', 'cs', 'cs.*'],
    ['category', 'quant-ph', 'quant-ph'],
    ['author', ' Lovelace,  Ada ', 'Ada Lovelace'],
    ['organisation', 'ETH  Zürich', 'ETH Zürich'],
    ['query', '"Latent Diffusion"  -survey', '"latent diffusion" -survey'],
    ['paper', 'https://arxiv.org/pdf/2606.01234v2.pdf', 'arxiv:2606.01234'],
    ['paper', 'arXiv:math.GT/0601001v1', 'arxiv:math/0601001'],
    ['paper', 'https://huggingface.co/papers/2606.01234?ref=x#y', 'arxiv:2606.01234'],
    ['paper', 'https://doi.org/10.1101/2026.01.01.123', 'doi:10.1101/2026.01.01.123'],
    ['paper', '10.48550/arXiv.2606.01234', 'arxiv:2606.01234'],
    ['trending', '', ''],
  ])('%s %s is %s', (kind, value, expected) => {
    expect(parseTopic(kind, value)).toEqual({ type: 'ok', topic: { kind, value: expected } });
    expect(parseTopic(kind, expected)).toEqual({ type: 'ok', topic: { kind, value: expected } });
  });

  it.each([
    ['topc', 'x', 'did you mean topic?'],
    ['constructor', 'x', 'is no kind of topic'],
    ['topic', 'diffusion-model', 'did you mean diffusion-models?'],
    ['category', 'cs.cx', 'no arXiv category'],
    ['author', '—', 'at least one letter'],
    ['author', 'x'.repeat(101), 'at most 100'],
    ['query', '-x', 'only leaves papers out'],
    ['paper', 'https://example.org/1', 'names no paper'],
    ['paper', 'x'.repeat(5000), 'names no paper'],
    ['trending', 'x', 'takes no value'],
  ])('%s %s is refused', (kind, value, message) => {
    const parsed = parseTopic(kind, value);
    expect(parsed).toMatchObject({ type: 'invalid', message: expect.stringContaining(message) });
    if (parsed.type === 'invalid') expect(parsed.message.length).toBeLessThan(250);
  });
});

describe('names of authors', () => {
  const same = (a: string, b: string): boolean => sameAuthor(nameTokens(a), nameTokens(b));
  it.each([
    ['Ada Lovelace', 'A. Lovelace'],
    ['Lovelace, Ada', 'Ada King Lovelace'],
    ['Jörg Müller', 'Joerg Muller'.replace('oe', 'o')],
    ['Łukasz Kaiser', 'Lukasz Kaiser'],
    ['J.-B. Alayrac', 'Jean-Baptiste Alayrac'],
    ['Wang Wei', 'Wei Wang'],
    ['Li Fei-Fei', 'Fei-Fei Li'],
    ['Xiao-Ming Chen', 'Xiaoming Chen'],
    ['L. van Beethoven', 'Ludwig van Beethoven'],
    ['Hinton', 'Geoffrey E. Hinton'],
    ['Martin Luther King Jr.', 'Martin Luther King'],
    ['王伟', '王伟'],
  ])('%s is %s', (a, b) => {
    expect(same(a, b)).toBe(true);
    expect(same(b, a)).toBe(true);
  });
  it.each([
    ['Ada Lovelace', 'Bob Lovelace'],
    ['Ada Lovelace', 'Ada Love'],
    ['A. B. Smith', 'A. C. Smith'],
    ['Wei Wang', 'Wei Zhang'],
    ['', 'Ada Lovelace'],
    ['J. Smith', 'Smith'.slice(0, 1)],
  ])('%s is not %s', (a, b) => {
    expect(same(a, b)).toBe(false);
    expect(same(b, a)).toBe(false);
  });
});
