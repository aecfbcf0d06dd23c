import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { createDigestComposer } from '#src/digests/compose.ts';
import { assembleMessage } from '#src/mail/assemble.ts';
import { chunkOf } from '#src/mail/chunk.ts';
import { contentOf, rawOf } from '#src/mail/content.ts';
import type { Sign } from '#src/mail/dkim.ts';
import { headerField } from '#src/mail/header.ts';
import type { Reason } from '#src/matching/types.ts';
import type { Paper } from '#src/papers/paper.ts';
import type { Recipient } from '#src/subscribers/subscriber.ts';
import { hostileText } from '#test/support/hostile-text.ts';
import * as samples from '#test/support/mail-samples.ts';
import { composed, expectSoundMessage } from '#test/support/sound-message.ts';

function composerOf(
  papers: readonly Paper[],
  recipients: readonly Recipient[] = [samples.sampleRecipient()],
  sign?: Sign,
) {
  return createDigestComposer({
    papersByIds: samples.papersByIds(papers),
    recipientsByIds: samples.recipientsByIds(recipients),
    links: samples.openLinks,
    sender: samples.sender,
    now: () => samples.NOW,
    ...(sign ? { sign } : {}),
  });
}

const papers = Array.from({ length: 10 }, (_, index) => samples.samplePaper(index + 1));

describe('List-Unsubscribe', () => {
  const fieldsOf = (oneClick: string) => {
    const message = assembleMessage(
      {
        sender: samples.sender,
        to: 'reader@example.org',
        subject: 'x',
        language: 'en',
        date: samples.NOW,
        messageId: '<x@example.org>',
        stream: 'daily',
        campaign: '2026-11-21',
        oneClick,
      },
      { text: (out) => out.push(chunkOf('x\r\n')), html: (out) => out.push(chunkOf('x\r\n')) },
    );
    return /^List-Unsubscribe:[^]*?One-Click\r\n/m.exec(rawOf(message).toString('latin1'))?.[0];
  };

  test('holds the token of each reader, folded as any field, whatever the one before was', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,60}$/);
    const url = fc.constantFrom(
      'https://a.example/one-click/',
      'https://papers.example.org/p/one-click/',
      '',
    );
    const mailbox = samples.sender.bounceAddress ?? samples.sender.replyTo ?? samples.sender.address;
    fc.assert(
      fc.property(url, token, (start, name) => {
        const value = `<${start}${name}>, <mailto:${mailbox}?subject=unsubscribe%20${name}>`;
        expect(fieldsOf(start + name)).toBe(
          headerField('List-Unsubscribe', value) +
            headerField('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'),
        );
      }),
    );
  });

  test('is refused with anything but printable ASCII, from the first reader on', () => {
    expect(fieldsOf('https://a.example/one-click/good')).toContain('/good>');
    for (const bad of ['a b', 'a\r\nBcc: x', 'é', ''])
      expect(() => fieldsOf(`https://a.example/one-click/${bad}`)).toThrow(RangeError);
  });
});

describe('a digest', () => {
  test('parses, carries every header once, and says why each paper is there', async () => {
    const row = samples.sampleDigest(papers);
    const message = composed((await composerOf(papers).compose([row])).get(row.id));
    expectSoundMessage(message);
    const mail = await PostalMime.parse(rawOf(message));
    expect(mail.subject).toBe('A Study of Subject Number 1, and 9 more');
    expect(mail.from?.address).toBe('digest@paperboy.example');
    expect(mail.to?.map(({ address }) => address)).toEqual(['reader@example.org']);
    expect(mail.text).toContain('because you follow Diffusion models: *latent diffusion*');
    expect(mail.html?.replace(/\s+/g, ' ')).toContain(
      'because you follow <b>Diffusion models</b>: <i>latent diffusion</i>',
    );
    expect(mail.text).toContain('10 of 428 papers');
    for (const paper of papers) {
      expect(mail.html).toContain(paper.title);
      expect(mail.text).toContain(paper.title);
      for (const verdict of ['more', 'less', 'not_now'])
        expect(mail.html).toContain(`https://paperboy.example/papers/${paper.id}/${verdict}/`);
    }
    const header = (name: string) => mail.headers.find(({ key }) => key === name)?.value;
    expect(header('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    expect(header('list-unsubscribe')).toMatch(
      /^<https:\/\/paperboy\.example\/one-click\/(\w+)>, <mailto:bounces@paperboy\.example\?subject=unsubscribe%20\1>$/,
    );
    expect(header('feedback-id')?.split(':').length).toBeLessThanOrEqual(4);
    expect(message.envelope.from).toMatch(/^bounces\+d123-[0-9a-f]{10}@paperboy\.example$/);
  });

  test('opens with what mail clients show behind its subject, for all to see', async () => {
    const alone = { ...samples.samplePaper(1), authors: [] };
    const opening = async (its: readonly Paper[]) => {
      const row = samples.sampleDigest(its);
      const { html = '' } = await PostalMime.parse(
        rawOf(composed((await composerOf(its).compose([row])).get(row.id))),
      );
      const body = html.slice(html.indexOf('<body')).replace(/<!--.*?-->|<[^>]*>/gs, ' ');
      return body.replaceAll('&#183;', '·').replace(/\s+/g, ' ').trim();
    };
    expect(await opening(papers)).toMatch(
      /^Also: A Study of Subject Number 2 · A Study of Subject Number 3 Paperboy /,
    );
    expect(await opening(papers.slice(0, 1))).toMatch(/^By .+ Paperboy /);
    expect(await opening([alone])).toMatch(/^Paperboy /);
  });

  test('that nothing matched is said once, in the mail and on its page', async () => {
    const row = { ...samples.sampleDigest(papers), kind: 'nothing' as const };
    const composer = composerOf(papers);
    const { html, text } = await PostalMime.parse(
      rawOf(composed((await composer.compose([row])).get(row.id))),
    );
    for (const part of [html ?? '', text ?? '', JSON.stringify(await composer.page(row, samples.NOW))])
      expect(part.match(/None of today[^ ]+ papers/g)?.length).toBe(1);
  });

  test('is put together when it is asked for, and not before', async () => {
    const row = samples.sampleDigest(papers);
    let at = samples.NOW;
    const composer = createDigestComposer({
      papersByIds: samples.papersByIds(papers),
      recipientsByIds: samples.recipientsByIds([samples.sampleRecipient()]),
      links: samples.openLinks,
      sender: samples.sender,
      now: () => at,
    });
    const found = (await composer.compose([row])).get(row.id);
    at = new Date(samples.NOW.getTime() + 60_000);
    const { date } = await PostalMime.parse(rawOf(composed(found)));
    expect(new Date(date ?? 0)).toEqual(at);
  });

  test('leaves connections their turn while many are signed', async () => {
    const row = samples.sampleDigest(papers);
    const rows = Array.from({ length: 50 }, (_, index) => ({ ...row, id: (index + 1) as typeof row.id }));
    let turns = 0;
    const count = () => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const composer = composerOf(papers, undefined, async (message) => message);
    await composer.compose(rows.slice(0, 1));
    turns = 0;
    expect((await composer.compose(rows)).size).toBe(50);
    clearImmediate(timer);
    expect(turns).toBeGreaterThan(4);
  });

  test('says in the mail and on its page what was new, had already and late; rows from before say what they know', async () => {
    const composer = createDigestComposer({
      papersByIds: samples.papersByIds(papers),
      recipientsByIds: samples.recipientsByIds([samples.sampleRecipient()]),
      links: samples.openLinks,
      sender: samples.sender,
      now: () => samples.NOW,
      coverageOf: async (_date, at) => ({
        fresh: [{ name: 'cs.AI', count: 203 }],
        late: at > samples.NOW ? [] : ['cs.CL'],
        quiet: [],
      }),
    });
    const before = samples.sampleDigest(papers);
    const row = { ...before, content: { ...before.content, had: 31 } };
    const line = '203 new in cs.AI · 10 of 428 papers chosen for you · 31 you already had · cs.CL is late';
    const oneLine = (text = '') => text.replace(/&(#183|#xB7|middot);/gi, '·').replace(/\s+/g, ' ');
    const mail = await PostalMime.parse(rawOf(composed((await composer.compose([row])).get(row.id))));
    const page = await composer.page(row, samples.NOW);
    for (const part of [mail.text, mail.html, typeof page === 'string' ? page : page.skip])
      expect(oneLine(part)).toContain(line);
    const later = new Date(samples.NOW.getTime() + 3_600_000);
    expect(await composer.page(row, later)).not.toContain('is late');
    const old = await PostalMime.parse(rawOf(composed((await composer.compose([before])).get(before.id))));
    expect(oneLine(old.text)).toContain('10 of 428 papers chosen for you · cs.CL is late');
  });

  test('is the same twice: Message-ID names edition and reader, and nothing else', async () => {
    const row = samples.sampleDigest(papers);
    const first = composed((await composerOf(papers).compose([row])).get(row.id));
    const second = composed((await composerOf(papers).compose([row])).get(row.id));
    expect(rawOf(second).equals(rawOf(first))).toBe(true);
    expect(first.messageId).not.toContain('3f0c7a52');
  });

  test('one that would be clipped shows what fits, and its page shows all', async () => {
    const wide = '宽'.repeat(80);
    const many = Array.from({ length: 50 }, (_, index) =>
      samples.samplePaper(index + 1, {
        title: `${index + 1} ${wide}`,
        abstract: `${wide} ${wide} ${wide} ${wide}. Ende.`,
      }),
    );
    const row = samples.sampleDigest(many);
    const composer = composerOf(many);
    const mail = await PostalMime.parse(rawOf(composed((await composer.compose([row])).get(row.id))));
    const shown = mail.html?.match(/class="ink title"/g)?.length ?? 0;
    expect(shown).toBeGreaterThanOrEqual(10);
    expect(shown).toBeLessThan(50);
    expect(Buffer.byteLength(mail.html ?? '')).toBeLessThan(82_000);
    expect(mail.text).toContain(
      `too long for a mail: ${50 - shown} more are on its page: https://paperboy.example/digests/`,
    );
    expect(mail.text).toContain(`${shown}.`);
    expect(mail.text).not.toContain(`\n${shown + 1}. `);
    const page = await composer.page(row, samples.NOW);
    expect(typeof page === 'string' && page.match(/class="ink title"/g)?.length).toBe(50);
  });

  test('grouped by topic, each paper stands once under its strongest topic', async () => {
    const other: Reason = { type: 'trending', weight: 1, fill: false };
    const reasons = papers.map((_, index) => [index % 2 === 0 ? samples.followReason : other]);
    const row = samples.sampleDigest(papers, {
      content: { paperIds: papers.map(({ id }) => id), reasons, candidates: 428 },
    });
    const composer = composerOf(papers, [samples.sampleRecipient({ sections: true })]);
    const { text = '' } = await PostalMime.parse(
      rawOf(composed((await composer.compose([row])).get(row.id))),
    );
    const order = [...text.matchAll(/== (.+) ==|Subject Number (\d+)/g)].map(
      ([, heading, number]) => heading ?? number,
    );
    expect(order).toEqual([
      'Diffusion models',
      '1',
      '3',
      '5',
      '7',
      '9',
      'Trending',
      '2',
      '4',
      '6',
      '8',
      '10',
    ]);
  });

  test('papers withdrawn since it was planned are left out, and said so', async () => {
    const gone = papers.map((paper) => (paper.id === 2 ? { ...paper, withdrawnAt: samples.NOW } : paper));
    const row = samples.sampleDigest(gone);
    const { text = '' } = await PostalMime.parse(
      rawOf(composed((await composerOf(gone).compose([row])).get(row.id))),
    );
    expect(text).not.toContain('Subject Number 2');
    expect(text).toContain('Papers withdrawn since then are left out.');
  });

  test('names written from right to left turn nothing around them', async () => {
    const topic = { kind: 'query', value: 'x' } as const;
    const reason: Reason = { type: 'follow', topic, weight: 1, name: 'מודלים', terms: ['שפה', 'words'] };
    const hebrew = [
      samples.samplePaper(1, { title: 'מודלים של שפה (p < 0.01)', authors: ['דוד לוי', 'Ada Example'] }),
    ];
    const row = samples.sampleDigest(hebrew, {
      content: { paperIds: hebrew.map(({ id }) => id), reasons: [[reason]], candidates: 1 },
    });
    const { html = '', text } = await PostalMime.parse(
      rawOf(composed((await composerOf(hebrew).compose([row])).get(row.id))),
    );
    const decoded = html
      .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
      .replace(/\s+/g, ' ');
    expect(decoded).toContain(
      'because you follow <b dir="auto">מודלים</b>: <i dir="auto">שפה</i>, <i>words</i>',
    );
    expect(decoded).toMatch(
      /<h2 class="ink title" dir="auto"[^>]*><a [^>]*>מודלים של שפה \(p &lt; 0.01\)<\/a>/,
    );
    expect(text).toContain('because you follow מודלים\u200e: *שפה\u200e*, *words*');
    // Titles and abstracts begin at their own side; where `start` is not known, at the left.
    expect(html).toContain('text-align:left;text-align:start;');
  });

  test('is signed when there is a key', async () => {
    const row = samples.sampleDigest(papers);
    const composer = createDigestComposer({
      papersByIds: samples.papersByIds(papers),
      recipientsByIds: samples.recipientsByIds([samples.sampleRecipient()]),
      links: samples.openLinks,
      sender: samples.sender,
      now: () => samples.NOW,
      sign: async (message) => ({
        ...message,
        content: contentOf(Buffer.concat([Buffer.from('DKIM-Signature: x\r\n'), rawOf(message)])),
      }),
    });
    expect(rawOf(composed((await composer.compose([row])).get(row.id))).toString()).toMatch(
      /^DKIM-Signature: x\r\nDate: /,
    );
  });

  test('every reason not to send is named', async () => {
    const row = samples.sampleDigest(papers);
    const skipOf = async (
      recipient: Partial<Recipient>,
      overrides = {},
      given: readonly Paper[] = papers,
    ) => {
      const composer = composerOf(given, [samples.sampleRecipient(recipient)]);
      const composed = (await composer.compose([{ ...row, ...overrides }])).get(row.id);
      return composed && 'skip' in composed ? composed.skip : 'sent';
    };
    expect(await skipOf({})).toBe('sent');
    expect(await skipOf({ email: null })).toBe('address-gone');
    expect(await skipOf({ email: 'ä@example.org' })).toBe('address-gone');
    expect(await skipOf({ state: 'paused' })).toBe('paused');
    expect(await skipOf({ state: 'unsubscribed' })).toBe('unsubscribed');
    expect(await skipOf({}, { deadline: new Date(0) })).toBe('past-deadline');
    expect(await skipOf({}, {}, [])).toBe('all-withdrawn');
    expect(await skipOf({}, { content: { paperIds: [], reasons: [], candidates: 9 } })).toBe('no-papers');
    expect(await skipOf({}, { kind: 'nothing', content: { paperIds: [], reasons: [], candidates: 9 } })).toBe(
      'sent',
    );
  });

  test('no paper and no name can break out of it', async () => {
    const paperOf = fc.record({
      title: hostileText(),
      abstract: hostileText(),
      authors: fc.array(hostileText(), { maxLength: 5 }),
      organisation: fc.option(hostileText()),
      categories: fc.array(hostileText(), { maxLength: 3 }),
      codeUrl: fc.option(fc.oneof(fc.webUrl(), hostileText())),
      url: fc.option(hostileText()),
      thumbnailUrl: fc.option(fc.oneof(fc.webUrl(), hostileText())),
    });
    const reasonOf: fc.Arbitrary<Reason> = fc.record({
      type: fc.constant('follow' as const),
      topic: fc.record({ kind: fc.constant('query' as const), value: fc.string() }),
      name: hostileText(),
      terms: fc.array(hostileText(), { maxLength: 4 }),
      weight: fc.constant(1),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(paperOf, reasonOf), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (items, sections) => {
          const hostile = items.map(([fields], index) => samples.samplePaper(index + 1, fields));
          const row = samples.sampleDigest(hostile, {
            content: {
              paperIds: hostile.map(({ id }) => id),
              reasons: items.map(([, reason]) => [reason]),
              candidates: 3,
            },
          });
          const reader = samples.sampleRecipient({ images: true, sections });
          const message = composed((await composerOf(hostile, [reader]).compose([row])).get(row.id));
          expectSoundMessage(message);
          const mail = await PostalMime.parse(rawOf(message));
          expect(mail.attachments).toEqual([]);
          // The elements of the document are those of the template, whatever the texts say.
          const markup = mail.html?.replace(/"[^"]*"/g, '""') ?? '';
          expect(markup).not.toMatch(/<(?:script|iframe|object|form|svg)|<[^>]+\son\w+=/i);
          expect(mail.html?.match(/<h2 class="ink title"/g)?.length).toBe(hostile.length);
          expect(mail.html?.match(/<html/g)?.length).toBe(1);
        },
      ),
      { numRuns: 60 },
    );
  });
});
