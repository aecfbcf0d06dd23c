import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { rawOf } from '#src/mail/content.ts';
import { LANGUAGES } from '#src/mail/languages.ts';
import type { Notice } from '#src/mail/notice.ts';
import { createNoticeComposer, type NoticeLinks } from '#src/mail/notice-mail.ts';
import { NOW, sampleLinks, sender } from '#test/support/mail-samples.ts';
import { composed, expectSoundMessage } from '#test/support/sound-message.ts';

const composer = createNoticeComposer({ sender, now: () => NOW });
const links: NoticeLinks = {
  confirm: 'https://paperboy.example/confirm/abc?next=1&x=2',
  reader: sampleLinks('3f0c7a52-9a51-4c1e-8c39-6d3f3c7d0a11'),
};
const NOTICES: readonly Notice[] = [
  { kind: 'confirm', confirmationId: 1 },
  { kind: 'confirm-address', confirmationId: 1 },
  { kind: 'address-changed', done: false, confirmationId: 1 },
  { kind: 'address-changed', done: true },
  { kind: 'preferences-changed' },
  { kind: 'paused', until: null },
  { kind: 'paused', until: '2026-07-01' },
  { kind: 'resumed' },
  { kind: 'goodbye' },
  { kind: 'test' },
];

async function compose(notice: Notice, language = 'en', given = links) {
  return composed(
    await composer.compose({ id: 5, notice, email: 'reader@example.org', language, links: given }),
  );
}

describe.each(LANGUAGES)('notices in %s', (language) => {
  test.each(NOTICES)('%j', async (notice) => {
    const message = await compose(notice, language);
    expectSoundMessage(message);
    const mail = await PostalMime.parse(rawOf(message));
    expect(mail.subject).not.toBe('');
    expect(`${mail.subject} ${mail.text} ${mail.html}`).not.toMatch(/\{\w+\}|undefined|null\b/);
    expect(mail.text?.length).toBeGreaterThan(100);
    expect(mail.headers.find(({ key }) => key === 'content-language')?.value).toBe(language);
  });
});

describe('notices', () => {
  test('the confirmation carries its link in both parts and nothing to unsubscribe from', async () => {
    const mail = await PostalMime.parse(rawOf(await compose({ kind: 'confirm', confirmationId: 1 })));
    expect(mail.text).toContain('\nhttps://paperboy.example/confirm/abc?next=1&x=2\n');
    expect(mail.html).toContain('href="https://paperboy.example/confirm/abc?next=1&amp;x=2"');
    expect(mail.headers.map(({ key }) => key)).not.toContain('list-unsubscribe');
  });

  test('a confirmation without its link is a bug that is thrown', async () => {
    await expect(compose({ kind: 'confirm', confirmationId: 1 }, 'en', {})).rejects.toThrow(
      'needs links.confirm',
    );
  });

  test('a pause names its end in words', async () => {
    const mail = await PostalMime.parse(rawOf(await compose({ kind: 'paused', until: '2026-07-01' })));
    expect(mail.subject).toBe('Paperboy is paused until Wednesday, July 1, 2026');
  });

  test('the same row has the same Message-ID, another row another', async () => {
    const first = await compose({ kind: 'goodbye' });
    expect((await compose({ kind: 'goodbye' })).messageId).toBe(first.messageId);
    const other = composed(
      await composer.compose({
        id: 6,
        notice: { kind: 'goodbye' },
        email: 'reader@example.org',
        language: 'en',
        links,
      }),
    );
    expect(other.messageId).not.toBe(first.messageId);
  });
});
