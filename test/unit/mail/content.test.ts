import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chunks, chunkOf, joinChunks } from '#src/mail/chunk.ts';
import { chunkedContent, contentOf, rawOf } from '#src/mail/content.ts';
import { quotedPrintableUrl } from '#src/mail/encode-text.ts';
import { LINK_TOKENS, openToken, type ReaderTokens } from '#src/mail/links.ts';

/** Tokens that are told apart by any of their characters. */
const tokens = Object.fromEntries(
  LINK_TOKENS.map((purpose, index) => [purpose, `${index}-`.repeat(28).slice(0, 55)]),
) as ReaderTokens;

const HEAD = 'Subject: x\r\n\r\n';
const octetsOf = (chunks: Chunks, given: ReaderTokens | undefined = tokens) =>
  rawOf({ content: chunkedContent(HEAD, chunks, given) }).toString('latin1');

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
    const filled = (text: string) =>
      LINK_TOKENS.reduce((all, purpose) => all.replaceAll(openToken(purpose), tokens[purpose]), text);
    expect(octetsOf(chunks)).toBe(HEAD + filled(page) + quotedPrintableUrl(filled(url)) + filled(`a${page}`));
  });

  test('are written where they are wanted, as often as they are, whatever was written in between', () => {
    const one = chunkedContent('1\r\n\r\n', [chunkOf(`${openToken('pause')}\r\n`)], tokens);
    const others = { ...tokens, pause: 'x'.repeat(55) };
    const other = chunkedContent('2\r\n\r\n', [chunkOf(`${openToken('pause')}\r\n`)], others);
    const expected = `1\r\n\r\n${tokens.pause}\r\n`;
    expect(one).toHaveLength(expected.length);
    const into = Buffer.alloc(200, '-');
    one.write(into, 3);
    other.write(into, 120);
    expect(into.toString('latin1', 0, 3 + one.length + 1)).toBe(`---${expected}-`);
    expect(rawOf({ content: one }).toString()).toBe(expected);
  });

  test('are refused with an open link and no tokens, with a token of another length, and beyond ASCII', () => {
    const open = [chunkOf(openToken('feedback'))];
    expect(() => chunkedContent(HEAD, open)).toThrow(RangeError);
    expect(() => octetsOf(open, { ...tokens, pause: 'short' })).toThrow(RangeError);
    for (const text of ['é', 'a\nb', 'a\rb', '\0', 'x'.repeat(999)])
      expect(() => chunkOf(text)).toThrow(RangeError);
  });

  test('are called plain only when SMTP has nothing to change', () => {
    const text = fc.array(fc.constantFrom('.', 'x', '\r\n'), { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), (texts) => {
        const content = chunkedContent(HEAD, [...texts, 'x\r\n'].map(chunkOf));
        if (content.plain) expect(contentOf(rawOf({ content })).plain).toBe(true);
        if (!texts.join('').includes('.')) expect(content.plain).toBe(true);
      }),
    );
    for (const raw of ['.x\r\n', 'a\r\n.\r\n', 'a', 'é\r\n'])
      expect(contentOf(Buffer.from(raw)).plain).toBe(false);
  });
});
