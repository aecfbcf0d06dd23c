import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readXml, textIn, type XmlItem } from '#src/papers/xml.ts';

const read = (xml: string | Buffer, names = ['entry']) => [...readXml(Buffer.from(xml as string), names)];
const faultOf = (items: XmlItem[]) => items.find((item) => item.type === 'fault')?.message;
const texts = (items: XmlItem[]) =>
  items.map((item) => (item.type === 'element' ? textIn(item.element, 'title') : item.message));

describe('reading XML', () => {
  it('gives the elements asked for, with their text as written', () => {
    const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<f xmlns:a="urn:a"><title>feed</title>
      <a:entry k="1 &amp; 2"><title>A &lt; B &#x3c3; <![CDATA[<b>&amp;</b>]]></title><!-- no --></a:entry><entry><title/></entry></f>`;
    expect(texts(read(xml))).toEqual(['A < B σ <b>&amp;</b>', undefined]);
    expect(read(xml)[0]).toMatchObject({ element: { name: 'entry', attributes: { k: '1 & 2' } } });
  });

  it('gives what came before the break, then says where it breaks', () => {
    const items = read('<f>\n<entry><title>one</title></entry>\n<entry><title>tw');
    expect(texts(items).slice(0, 1)).toEqual(['one']);
    expect(items.at(-1)).toMatchObject({ type: 'fault', line: 3 });
  });

  it('leaves references that mean nothing, and bare ampersands, as they are written', () => {
    const titles = [
      'Caf&eacute;&nbsp;&lol;',
      'R&D & more &amp; <![CDATA[a & b &eacute;]]>',
      'x &#0; &; &',
      'next',
    ];
    const xml = `<f>${titles.map((title) => `<entry><title>${title}</title></entry>`).join('')}</f>`;
    expect(texts(read(xml))).toEqual([
      'Caf&eacute;&nbsp;&lol;',
      'R&D & more & a & b &eacute;',
      'x &#0; &; &',
      'next',
    ]);
  });

  it('replaces the characters XML forbids', () => {
    expect(texts(read('<entry><title>a\u0000b\u000bc</title></entry>'))).toEqual(['a\ufffdb\ufffdc']);
  });

  it.each([
    ['a document type', '<!DOCTYPE f [<!ENTITY a "b">]><f><entry>&a;</entry></f>', /document type/],
    ['an external entity', '<!DOCTYPE f SYSTEM "file:///etc/passwd"><f/>', /document type/],
    ['deep nesting', `<f>${'<e>'.repeat(100_000)}`, /nesting/],
    ['an endless text', `<entry>${'x'.repeat(1_100_000)}</entry>`, /text longer/],
    ['too many children', `<entry>${'<e/>'.repeat(20_001)}</entry>`, /children/],
    ['another charset', Buffer.from('<f><entry>caf\xe9</entry></f>', 'latin1'), /UTF-8/],
    ['UTF-16', Buffer.from('\ufeff<f/>', 'utf16le'), /UTF-8/],
    ['no XML', 'Service Unavailable', /.+/],
    ['nothing', '', /.+/],
    ['mismatched tags', '<f><entry></f>', /.+/],
  ])('refuses %s', (_, xml, message) => expect(faultOf(read(xml))).toMatch(message));

  it('takes 50 MB in bounded memory', () => {
    const body = Buffer.from(`<f>${'<entry><title>a title</title></entry>'.repeat(1_300_000)}</f>`);
    const before = process.memoryUsage().rss;
    let count = 0;
    for (const item of readXml(body, ['entry'])) count += item.type === 'element' ? 1 : 0;
    expect(count).toBe(1_300_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(400_000_000);
  });

  it('never throws', () => {
    const piece = fc.constantFrom(
      '<entry>',
      '</entry>',
      '<title>',
      '&amp;',
      '&',
      '<',
      '>',
      '<![CDATA[',
      ']]>',
      '<!--',
      'x',
      '"',
      '<?xml',
      '?>',
      '\u0000',
    );
    fc.assert(fc.property(fc.array(piece), (pieces) => void read(pieces.join(''))));
  });
});
