import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { SourceItem } from '#src/papers/paper.ts';
import { saysWithdrawn } from '#src/papers/sources/arxiv-record.ts';
import { splitAuthors } from '#src/papers/sources/people.ts';
import { readSource } from '#test/support/read-source.ts';

const now = new Date('2026-06-03T09:00:00Z');
const read = (source: string, name: string, content: string | Buffer) =>
  readSource(source, { name, content }, now);
const listings = (items: SourceItem[]) =>
  items.map((item) => (item.type === 'listing' ? item.listing : item));

const api = (entries: string) => `<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/x</id><title>arXiv Query</title><opensearch:totalResults>1</opensearch:totalResults>${entries}</feed>`;
const apiEntry = `<entry><id>http://arxiv.org/abs/hep-th/9901001v3</id><title>On
    Lines</title><updated>1999-02-01T00:00:00Z</updated>
  <link href="https://arxiv.org/abs/hep-th/9901001v3" rel="alternate" type="text/html"/>
  <summary>  Lines are
  studied.
</summary><category term="math.GT"/><category term="hep-th"/><published>1999-01-02T00:00:00Z</published>
  <arxiv:comment>3 pages</arxiv:comment><arxiv:primary_category term="hep-th"/><arxiv:doi>10.1000/ABC</arxiv:doi>
  <author><name>A. One</name></author><author><name>B. Two</name></author></entry>`;

describe('the arXiv API', () => {
  it('gives a paper without its version', async () => {
    expect(listings(await read('arxiv', 'api.xml', api(apiEntry)))).toEqual([
      {
        source: 'arxiv',
        listedOn: '2026-06-03',
        kind: 'daily',
        section: '',
        observedAt: now,
        paper: {
          sourceId: 'hep-th/9901001',
          arxivId: 'hep-th/9901001',
          doi: '10.1000/abc',
          title: 'On Lines',
          abstract: 'Lines are\n  studied.',
          authors: ['A. One', 'B. Two'],
          categories: ['hep-th', 'math.GT'],
          comment: '3 pages',
          version: 3,
          publishedAt: new Date('1999-01-02T00:00:00Z'),
          url: 'https://arxiv.org/abs/hep-th/9901001',
          pdfUrl: 'https://arxiv.org/pdf/hep-th/9901001',
          withdrawn: false,
        },
      },
    ]);
  });

  it('reads recorded calls, packed ones too, and says what arXiv says', async () => {
    const call = JSON.stringify({
      url: 'https://export.arxiv.org/api/query',
      status_code: 200,
      body: api(apiEntry),
    });
    expect(await read('arxiv', 'call.json', call)).toHaveLength(1);
    expect(await read('arxiv', 'call.json.gz', gzipSync(call))).toHaveLength(1);
    const error = api(
      '<entry><id>https://arxiv.org/api/errors#x</id><title>Error</title><summary>incorrect id format for x</summary></entry>',
    );
    expect(await read('arxiv', 'error.xml', error)).toMatchObject([
      { type: 'fault', fault: { message: 'arXiv answers: incorrect id format for x' } },
    ]);
    expect(await read('arxiv', 'none.xml', api(''))).toEqual([]);
  });

  it.each(['<html><body>502 Bad Gateway</body></html>', '<rss/>', '{"error":"x"}', 'garbage', ''])(
    'refuses %j',
    async (content) => {
      expect(await read('arxiv', 'bad.xml', content)).toMatchObject([{ type: 'fault' }]);
    },
  );
});

const entry = (
  id: string,
  type: string,
) => `<entry><id>oai:arXiv.org:${id}v1</id><title>T</title><link href="https://arxiv.org/abs/${id}"/>
  <summary>arXiv:${id}v1 Announce Type: ${type} \nAbstract: Abstract: things.</summary><category term="cs.CL"/><category term="cs.AI"/>
  <published>2026-06-02T00:00:00-04:00</published><arxiv:announce_type>${type}</arxiv:announce_type><dc:creator>A. One, B. Two</dc:creator><dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights></entry>`;

describe('the announcement feeds', () => {
  it('Atom: kinds, days and sections', async () => {
    const feed = `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/">
      <id>http://rss.arxiv.org/atom/cs.AI</id><title>cs.AI updates on arXiv.org</title>
      ${['new', 'cross', 'replace', 'replace-cross', 'jref'].map((type, n) => entry(`2606.0000${n}`, type)).join('')}</feed>`;
    const items = listings(await read('arxiv', 'feed.xml', feed));
    expect(items.slice(0, 4)).toMatchObject([
      {
        kind: 'new',
        section: 'cs.CL',
        listedOn: '2026-06-02',
        paper: {
          abstract: 'Abstract: things.',
          authors: ['A. One', 'B. Two'],
          license: 'http://creativecommons.org/licenses/by/4.0/',
        },
      },
      { kind: 'cross', section: 'cs.AI' },
      { kind: 'replace', section: 'cs.CL' },
      { kind: 'replace', section: 'cs.AI' },
    ]);
    expect(items[4]).toMatchObject({ type: 'fault', fault: { message: expect.stringContaining('jref') } });
  });

  it('RSS', async () => {
    const feed = `<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
      <title>math.OC updates on arXiv.org</title><link>http://rss.arxiv.org/rss/math.OC</link><skipDays><day>Saturday</day></skipDays>
      <item><title>T</title><link>https://arxiv.org/abs/2606.00001</link><description>arXiv:2606.00001v3 Announce Type: replace-cross
Abstract: We.</description><guid isPermaLink="false">oai:arXiv.org:2606.00001v3</guid><category>math.AP</category><category>math.OC</category>
      <pubDate>Tue, 02 Jun 2026 00:00:00 -0400</pubDate><arxiv:announce_type>replace-cross</arxiv:announce_type><arxiv:DOI>10.5802/jep.257</arxiv:DOI>
      <dc:creator>A. One</dc:creator></item></channel></rss>`;
    expect(listings(await read('arxiv', 'feed.rss', feed))).toMatchObject([
      {
        kind: 'replace',
        section: 'math.OC',
        listedOn: '2026-06-02',
        paper: { version: 3, doi: '10.5802/jep.257', abstract: 'We.' },
      },
    ]);
  });
});

const oai = (
  inner: string,
) => `<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
  <responseDate>2026-06-02T09:00:00Z</responseDate><request verb="ListRecords">https://oaipmh.arxiv.org/oai</request>${inner}</OAI-PMH>`;
const record = (
  id: string,
  metadata: string,
  status = '',
) => `<record><header${status}><identifier>oai:arXiv.org:${id}</identifier>
  <datestamp>2026-06-02</datestamp><setSpec>cs</setSpec></header>${metadata}</record>`;

describe('OAI-PMH', () => {
  it('format arXiv: names in parts, the class in the wrong place', async () => {
    const meta = `<metadata><arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>2606.00001</id><created>2026-06-01</created>
      <authors><author><keyname>King</keyname><forenames>M. L.</forenames><suffix>Jr.</suffix></author><author><keyname>Planck Collaboration</keyname></author></authors>
      <title>A
  Title</title><categories>cs.CL cs.AI</categories><acm-class>37K05</acm-class><license>http://creativecommons.org/licenses/by/4.0/</license><doi>10.1000/x, 10.2000/y</doi><abstract>  We.\n</abstract></arXiv></metadata>`;
    expect(
      listings(
        await read('arxiv', 'oai.xml', oai(`<ListRecords>${record('2606.00001', meta)}</ListRecords>`)),
      ),
    ).toMatchObject([
      {
        kind: 'new',
        listedOn: '2026-06-02',
        section: 'cs.CL',
        observedAt: new Date('2026-06-02T00:00:00Z'),
        paper: {
          authors: ['M. L. King Jr.', 'Planck Collaboration'],
          title: 'A Title',
          doi: '10.1000/x',
          aliases: ['doi:10.2000/y'],
          license: 'http://creativecommons.org/licenses/by/4.0/',
        },
      },
    ]);
  });

  it('format arXivRaw: versions in any order; deleted records; records of other formats', async () => {
    const raw = `<metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>0811.3693</id><submitter>P</submitter>
      <version version="v1"><date>Sat, 22 Nov 2008 16:22:20 GMT</date></version><version version="v10"><date>Thu, 27 May 2010 12:43:12 GMT</date></version>
      <version version="v2"><date>Tue, 9 Dec 2008 23:29:22 GMT</date></version><title>T</title><authors>A. One (X, Y (Z)), B. Two and C. Three</authors>
      <categories>cs.DS</categories><comments>This paper has been withdrawn by the author</comments><license>http://arxiv.org/licenses/nonexclusive-distrib/1.0/</license><abstract>We.</abstract></arXivRaw></metadata>`;
    const dc = '<metadata><oai_dc:dc xmlns:oai_dc="urn:dc"/></metadata>';
    const answer = oai(
      `<ListRecords>${record('0811.3693', raw)}${record('2606.00002', '', ' status="deleted"')}${record('2606.00003', dc)}</ListRecords>`,
    );
    expect(listings(await read('arxiv', 'raw.xml', answer))).toMatchObject([
      {
        kind: 'replace',
        paper: {
          version: 10,
          withdrawn: true,
          license: 'http://arxiv.org/licenses/nonexclusive-distrib/1.0/',
          authors: ['A. One', 'B. Two', 'C. Three'],
          publishedAt: new Date('2008-11-22T16:22:20Z'),
        },
      },
      { type: 'withdrawal', identifier: 'oai:arXiv.org:2606.00002' },
      { type: 'fault', fault: { message: expect.stringContaining('no known format') } },
    ]);
  });

  it('errors; an empty list is none', async () => {
    expect(await read('arxiv', 'e1.xml', oai('<error code="badArgument">Bad from</error>'))).toMatchObject([
      { type: 'fault', fault: { message: 'arXiv answers: badArgument: Bad from' } },
    ]);
    expect(await read('arxiv', 'e2.xml', oai('<error code="noRecordsMatch">none</error>'))).toEqual([]);
  });
});

describe('a page of new listings', () => {
  const dt = (
    id: string,
    title: string,
  ) => `<dt><a name='item1'>[1]</a> <a href ="/abs/${id}" title="Abstract" id="${id}"> arXiv:${id} </a></dt>
    <dd><div class='meta'><div class='list-title mathjax'><span class='descriptor'>Title:</span> ${title} </div>
    <div class='list-authors'><a href="x">A. One</a>, <a href="y">B. Two</a></div>
    <div class='list-subjects'><span class='descriptor'>Subjects:</span> <span class="primary-subject">Robotics (cs.RO)</span>; Optics (physics.optics)</div>
    <p class='mathjax'> We <i>do</i> &lt; things. </p></div></dd>`;
  const page = `<html><body><h3>Showing new listings for Tuesday, 2 June 2026</h3><h3>New submissions (showing 1 of 1 entries)</h3>${dt('2606.00001', 'T &amp; U')}
    <h3>Cross submissions (showing 1 of 1 entries)</h3>${dt('2606.00002', 'V')}<h3>Replacement submissions (showing 2 of 2 entries)</h3>${dt('2606.00003', 'W')}`;
  it('is read under its headings, and counted', async () => {
    const items = listings(await read('arxiv', 'cs.RO_new.html', page));
    expect(items).toMatchObject([
      {
        kind: 'new',
        listedOn: '2026-06-02',
        paper: {
          title: 'T & U',
          authors: ['A. One', 'B. Two'],
          categories: ['cs.RO', 'physics.optics'],
          abstract: 'We do < things.',
        },
      },
      { kind: 'cross', paper: { title: 'V' } },
      { kind: 'replace', paper: { title: 'W' } },
      { type: 'fault', fault: { message: '3 entries of the 4 it says' } },
    ]);
  });

  it('of several days puts each entry on its own, with and without abstracts', async () => {
    const entry = (id: string) => dt(id, 'T').replace(/<p class[\s\S]*?<\/p>/, '');
    const recent = `<html><body><h3>Tue, 2 Jun 2026 (showing first 1 of 9 entries )</h3>${entry('2606.00001')}
      <h3>Mon, 1 Jun 2026 (continued, showing last 1 of 7 entries )</h3>${entry('2606.00002')}</body></html>`;
    expect(listings(await read('arxiv', 'cs.RO_pastweek.html', recent))).toMatchObject([
      { kind: 'new', listedOn: '2026-06-02', paper: { abstract: '', authors: ['A. One', 'B. Two'] } },
      { kind: 'new', listedOn: '2026-06-01' },
    ]);
    const old = `<html><body><h3>New submissions for Fri, 21 Nov 14</h3><dl><dt><a name="item1">[1]</a>&nbsp;
      <span class="list-identifier"><a href="/abs/1411.5379" title="Abstract">arXiv:1411.5379</a> [<a href="/pdf/1411.5379" title="Download PDF">pdf</a>]</span></dt>
      <dd><div class="meta"><div class="list-title"><span class="descriptor">Title:</span> Old</div>
      <div class="list-authors"><span class="descriptor">Authors:</span> <a href="x">A. One</a></div>
      <div class="list-subjects"><span class="descriptor">Subjects:</span> <span class="primary-subject">Robotics (cs.RO)</span></div>
      <p>Words.</p></div></dd></dl><h3>Cross-lists for Fri, 21 Nov 14</h3>${dt('1411.00002', 'V')}</body></html>`;
    expect(listings(await read('arxiv', 'old.html', old))).toMatchObject([
      {
        kind: 'new',
        listedOn: '2014-11-21',
        paper: { title: 'Old', authors: ['A. One'], abstract: 'Words.' },
      },
      { kind: 'cross', listedOn: '2014-11-21' },
    ]);
  });
});

describe('authors in one text', () => {
  it.each([
    ['A. One, B. Two and C. Three', ['A. One', 'B. Two', 'C. Three']],
    ['A. One (MIT), B. Two (for the X (Y) Team)', ['A. One', 'B. Two']],
    ['Sandra Anderson', ['Sandra Anderson']],
    ['A. One (unclosed, B. Two', ['A. One (unclosed', 'B. Two']],
    ['', []],
  ])('%s', (text, names) => expect(splitAuthors(text)).toEqual(names));
});

describe('a withdrawn paper says so', () => {
  it.each([
    ['This paper has been withdrawn by the author due to an error', '', true],
    ['Withdrawn', '', true],
    ['withdrawn by the authors', '', true],
    ['', 'This submission has been withdrawn by arXiv administrators', true],
    ['12 pages; an earlier version was withdrawn from a journal', '', false],
    ['', 'We study when a paper is withdrawn.', false],
    ['', 'This paper studies how electrodes are withdrawn from tissue', false],
    ['', '', false],
  ])('%s %s', (comment, abstract, withdrawn) => expect(saysWithdrawn(comment, abstract)).toBe(withdrawn));
});
