import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanText } from '#src/mail/clean-text.ts';
import { encodeHtml, foldHtml, safeUrl } from '#src/mail/encode-html.ts';
import { columns, quotedPrintable, quotedPrintableUrl, TEXT_WIDTH, wrap } from '#src/mail/encode-text.ts';
import { asciiAddress, dateValue, encodeText, headerField, mailbox, textField } from '#src/mail/header.ts';
import { hostileText } from '#test/support/hostile-text.ts';

/** An independent decoder of quoted-printable (RFC 2045 §6.7). */
function decodeQuotedPrintable(encoded: string): string {
  const octets = encoded
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1').toString('utf8').replaceAll('\r\n', '\n');
}

describe('quoted-printable', () => {
  test('decodes to what went in, in lines of at most 76 octets', () => {
    fc.assert(
      fc.property(fc.array(hostileText()), (lines) => {
        const text = lines.map(cleanText).join('\n');
        const encoded = quotedPrintable(text);
        expect(decodeQuotedPrintable(encoded)).toBe(text);
        for (const line of encoded.split('\r\n')) {
          expect(line).toMatch(/^[\x20-\x7e]{0,76}$/);
          expect(line).not.toMatch(/^(?:\.|From )| $/);
        }
      }),
    );
  });

  test('a URL is broken without tearing an escape', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '=', '&', '.', '-'), minLength: 1, maxLength: 400 }),
        (url) => {
          const encoded = `Link: ${quotedPrintableUrl(url)}\r\n`;
          expect(decodeQuotedPrintable(encoded)).toBe(`Link: ${url}\n`);
          for (const line of encoded.split('\r\n')) expect(line).toMatch(/^(?!\.).{0,76}$/);
        },
      ),
    );
  });
});

describe('wrapping', () => {
  test('keeps every word in order and the width where words allow it', () => {
    fc.assert(
      fc.property(hostileText(), (raw) => {
        const text = cleanText(raw);
        const lines = wrap(text, '  ').split('\n');
        expect(
          lines
            .map((line) => line.trim())
            .join('')
            .replaceAll(' ', ''),
        ).toBe(text.replaceAll(' ', ''));
        for (const line of lines) if (columns(line) > TEXT_WIDTH) expect(line.trim()).not.toContain(' ');
      }),
    );
  });

  test('breaks Japanese between characters, never before a comma', () => {
    const lines = wrap('これは長い文です、'.repeat(12)).split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      expect(columns(line)).toBeLessThanOrEqual(TEXT_WIDTH);
      expect(line).not.toMatch(/^[、。]/);
    }
  });
});

describe('HTML', () => {
  test('is ASCII, holds no markup of the text, and folds to short lines', () => {
    fc.assert(
      fc.property(hostileText(), (raw) => {
        const html = foldHtml(encodeHtml(cleanText(raw)));
        expect(html).toMatch(/^[\n\x20-\x7e]*$/);
        expect(html.replaceAll('<wbr\n>', '')).not.toMatch(/[<>"']/);
        for (const line of html.split('\n')) {
          expect(line.length).toBeLessThan(900);
          expect(line).not.toMatch(/^(?:\.|--|From )/);
        }
      }),
    );
  });

  test.each([
    ['javascript:alert(1)', null],
    ['https://user:secret@a.example/', null],
    ['//a.example', null],
    ['data:text/html,x', null],
    [`https://a.example/${'x'.repeat(900)}`, null],
    ['https://a.example/é?q="><b>', 'https://a.example/%C3%A9?q=%22%3E%3Cb%3E'],
    [' https://a.example/a?b=1&c=2\r\nX: y', 'https://a.example/a?b=1&c=2X:%20y'],
  ])('safeUrl(%j)', (url, expected) => expect(safeUrl(url)).toBe(expected));
});

describe('header fields', () => {
  test('no text can end its field, and every line is short', () => {
    fc.assert(
      fc.property(hostileText(), (text) => {
        const field = textField('Subject', text);
        expect(field).toMatch(/^Subject:[\x20-\x7e]*(?:\r\n [\x20-\x7e]+)*\r\n$/);
        for (const line of field.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
        // A field that begins with a folded line gets a space in front from some readers.
        expect(field).not.toMatch(/^Subject: ?\r\n /);
      }),
    );
  });

  test('a value with a line break is a bug that is thrown', () => {
    expect(() => headerField('X', 'a\r\nBcc: b@example.org')).toThrow(RangeError);
    expect(() => headerField('X: y', 'a')).toThrow(RangeError);
  });

  test('what looks like an encoded-word is encoded', () => {
    expect(encodeText('=?UTF-8?Q?x?=')).toMatch(/^=\?UTF-8\?B\?/);
  });

  test('display names are quoted where they must be', () => {
    expect(mailbox('Paperboy', 'a@example.org')).toBe('Paperboy <a@example.org>');
    expect(mailbox('Papers, "daily" <b@x>', 'a@example.org')).toBe(
      '"Papers, \\"daily\\" <b@x>" <a@example.org>',
    );
    expect(mailbox('', 'a@example.org')).toBe('<a@example.org>');
    expect(mailbox('Zürich', 'a@bücher.example')).toBe('=?UTF-8?B?WsO8cmljaA==?= <a@xn--bcher-kva.example>');
  });

  test.each([
    'a',
    'a@',
    '@b',
    'a b@c.example',
    'a@b\r\nX: y',
    'a@b>c',
    '"a"@b.example',
    'ä@b.example',
    'a,b@c.example',
    'a..b@c.example',
  ])('refuses %j as an address', (address) => expect(() => asciiAddress(address)).toThrow(RangeError));

  test('the date is RFC 5322', () => {
    expect(dateValue(new Date('2026-06-03T05:00:10Z'))).toBe('Wed, 03 Jun 2026 05:00:10 +0000');
  });
});
