import { describe, expect, test } from 'vitest';
import { chunkOf, joinChunks, lengthOf } from '#src/mail/chunk.ts';
import { quotedPrintableUrl } from '#src/mail/encode-text.ts';
import { LINK_TOKENS, openToken, type ReaderTokens } from '#src/mail/links.ts';
import { createOctetWriter } from '#src/mail/octet-writer.ts';

/** Tokens that are told apart by any of their characters. */
const tokens = Object.fromEntries(
  LINK_TOKENS.map((purpose, index) => [purpose, `${index}-`.repeat(28).slice(0, 55)]),
) as ReaderTokens;

describe('octets of a message', () => {
  test('hold each token in its place, also one that encoding tore in two', () => {
    const url = `https://paperboy.example/${'long/'.repeat(6)}${openToken('pause')}/x`;
    const page = `<a href="https://paperboy.example/${openToken('digest')}/1">and ${openToken('topic')}</a>\r\n`;
    const chunks = [
      chunkOf(page),
      chunkOf(quotedPrintableUrl(url)),
      joinChunks([chunkOf('a'), chunkOf(page)]),
    ];
    expect(chunks[1]?.places).toHaveLength(2);
    const octetsOf = createOctetWriter();
    const filled = (text: string) =>
      LINK_TOKENS.reduce((all, purpose) => all.replaceAll(openToken(purpose), tokens[purpose]), text);
    const octets = octetsOf((out) => out.chunks(chunks), tokens);
    expect(octets).toHaveLength(lengthOf(chunks));
    expect(octets.toString('latin1')).toBe(
      filled(page) + quotedPrintableUrl(filled(url)) + filled(`a${page}`),
    );
  });

  test('of one message leave nothing in the next, and grow with it', () => {
    const octetsOf = createOctetWriter();
    const large = 'x'.repeat(300_000);
    const first = octetsOf((out) => out.text(large));
    expect(octetsOf((out) => out.text('small')).toString()).toBe('small');
    expect(first.toString()).toBe(large);
    expect(octetsOf((out) => out.chunks([chunkOf('a'), chunkOf('b')])).toString()).toBe('ab');
  });

  test('are refused with an open link and no tokens, with a token of another length, and beyond ASCII', () => {
    const octetsOf = createOctetWriter();
    const open = chunkOf(openToken('feedback'));
    expect(() => octetsOf((out) => out.chunk(open))).toThrow(RangeError);
    expect(() => octetsOf((out) => out.chunk(open), { ...tokens, pause: 'short' })).toThrow(RangeError);
    for (const text of ['é', 'a\nb', 'a\rb', '\0', 'x'.repeat(999)])
      expect(() => chunkOf(text)).toThrow(RangeError);
    // What failed leaves the writer as it was.
    expect(octetsOf((out) => out.chunk(open), tokens).toString()).toBe(tokens.feedback);
  });
});
