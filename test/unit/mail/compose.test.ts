import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { createDigestComposer } from '#src/digests/compose.ts';
import type { Reason } from '#src/matching/types.ts';
import type { Paper } from '#src/papers/paper.ts';
import type { Recipient } from '#src/subscribers/subscriber.ts';
import { hostileText } from '#test/support/hostile-text.ts';
import * as samples from '#test/support/mail-samples.ts';
import { composed, expectSoundMessage } from '#test/support/sound-message.ts';

function composerOf(
  papers: readonly Paper[],
  recipients: readonly Recipient[] = [samples.sampleRecipient()],
) {
  return createDigestComposer({
    papersByIds: samples.papersByIds(papers),
    recipientsByIds: samples.recipientsByIds(recipients),
    linksOf: (recipient) => samples.sampleLinks(recipient.publicId),
    sender: samples.sender,
    now: () => samples.NOW,
  });
}

const papers = Array.from({ length: 10 }, (_, index) => samples.samplePaper(index + 1));

describe('a digest', () => {
  test('parses, carries every header once, and says why each paper is there', async () => {
    const row = samples.sampleDigest(papers);
    const message = composed((await composerOf(papers).compose([row])).get(row.id));
    expectSoundMessage(message);
    const mail = await PostalMime.parse(message.raw);
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
      /^<https:\/\/paperboy\.example\/one-click\/\w+>, <mailto:bounces@paperboy\.example\?subject=unsubscribe%20d123-[0-9a-f]{10}>$/,
    );
    expect(header('feedback-id')?.split(':').length).toBeLessThanOrEqual(4);
    expect(message.envelope.from).toMatch(/^bounces\+d123-[0-9a-f]{10}@paperboy\.example$/);
  });

  test('is the same twice: Message-ID names edition and reader, and nothing else', async () => {
    const row = samples.sampleDigest(papers);
    const first = composed((await composerOf(papers).compose([row])).get(row.id));
    const second = composed((await composerOf(papers).compose([row])).get(row.id));
    expect(second.raw.equals(first.raw)).toBe(true);
    expect(first.messageId).not.toContain('3f0c7a52');
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
          const mail = await PostalMime.parse(message.raw);
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
