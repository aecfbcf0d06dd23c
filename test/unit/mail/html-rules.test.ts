import { caniemail } from 'caniemail';
import { extract } from 'letterparser';
import PostalMime from 'postal-mime';
import { beforeAll, describe, expect, test } from 'vitest';
import { rawOf } from '#src/mail/content.ts';
import { PREVIEW_COUNT, type PreviewMessage, previewMessages } from '#src/mail/preview/messages.ts';
import { htmlFaults } from '#test/support/mail-html.ts';
import { NOW, sender } from '#test/support/mail-samples.ts';
import { expectSoundMessage } from '#test/support/sound-message.ts';

const messages: PreviewMessage[] = [];

beforeAll(async () => {
  for await (const message of previewMessages({ sender, now: () => NOW })) messages.push(message);
});

async function eachHtml(check: (html: string, name: string) => Promise<void> | void): Promise<void> {
  for (const { name, language, message } of messages)
    await check((await PostalMime.parse(rawOf(message))).html ?? '', `${name}.${language}`);
}

/** Features that a client may lack because the mail reads as well without them. */
const ENHANCEMENTS: readonly (readonly [feature: RegExp, without: string])[] = [
  [/^(?:@media|ID selector|Chaining selectors)/, 'stays light, and the head stays 27 px'],
  [/^(?:border-radius|outline)/, 'square corners'],
  [/^text-decoration-color/, 'underlines in the colour of the text'],
  [/^height property/, 'a false alarm: line-height'],
  [/^(?:word-break|aria-label attribute|<body> element)/, 'not needed: long runs are broken in the text'],
];
/** Gmail's mobile web page knows no style sheet at all: there the inline styles are all there is. */
const WITHOUT_STYLE_SHEETS = /selector|combinator|<style>|@media/;
const CLIENTS = ['gmail.*', 'outlook.windows', 'outlook.macos', 'apple-mail.*', 'yahoo.*'] as const;

describe('every message in every language', () => {
  test('is there, sound, and holds the same text for two MIME parsers', async () => {
    expect(messages.length).toBe(PREVIEW_COUNT);
    for (const { message } of messages) {
      expectSoundMessage(message);
      const first = await PostalMime.parse(rawOf(message));
      const second = extract(rawOf(message).toString('latin1'));
      expect(second.subject).toBe(first.subject);
      expect(second.from?.address).toBe(first.from?.address);
      expect(second.to?.map(({ address }) => address)).toEqual(first.to?.map(({ address }) => address));
      expect(second.text?.replace(/\r\n/g, '\n').trim()).toBe(first.text?.trim());
      expect(second.html?.replace(/\r\n/g, '\n').trim()).toBe(first.html?.trim());
      expect(first.attachments).toEqual([]);
    }
  });

  test('is valid HTML', async () => {
    await eachHtml(async (html, name) => {
      expect(await htmlFaults(html), name).toEqual([]);
    });
  });

  test('uses nothing that Gmail, Outlook, Apple Mail or Yahoo needs and lacks', async () => {
    await eachHtml((html, name) => {
      if (!name.endsWith('.en')) return;
      const { issues } = caniemail({ clients: [...CLIENTS], html });
      const lacking = [...issues.errors].flatMap(([client, found]) =>
        found.map(({ title }) => ({ client, title })),
      );
      const needed = lacking.filter(({ client, title }) => !excused(client, title));
      expect(needed, name).toEqual([]);
    });
  });

  test('stays far below the size that Gmail clips, and tells nobody that it was opened', async () => {
    await eachHtml((html, name) => {
      expect(Buffer.byteLength(html), name).toBeLessThan(80_000);
      // The only picture there may be is the paper's own, for readers who asked for pictures.
      const pictures = html.match(/<img[^>]*>/g) ?? [];
      expect(pictures.length, name).toBe(name.startsWith('digest-daily-sections') ? 1 : 0);
      expect(html, name).not.toMatch(/@import|url\(|<link|<script/);
    });
  });

  test('hides nothing', async () => {
    await eachHtml((html, name) => {
      expect(html, name).not.toMatch(/display:\s*none|visibility:\s*hidden|mso-hide|max-height:0/);
    });
  });

  test('says what it is in the language it is in', async () => {
    await eachHtml((html, name) => {
      expect(html).toContain(`<html lang="${name.split('.')[1]}" dir="ltr"`);
      expect(html, name).not.toMatch(/\{\{|\{\w+\}|undefined/);
    });
  });
});

function excused(client: string, title: string): boolean {
  if (client === 'gmail.mobile-webmail' && WITHOUT_STYLE_SHEETS.test(title)) return true;
  return ENHANCEMENTS.some(([feature]) => feature.test(title));
}
