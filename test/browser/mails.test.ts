import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PreviewEntry } from '#src/mail/preview/entry.ts';
import { CHROMIUM_ARGUMENTS, findChromium } from '#src/mail/preview/screenshots.ts';
import { writePreview } from '#src/mail/preview/write.ts';
import { NOW, sender } from '#test/support/mail-samples.ts';

const executablePath = await findChromium();
const note = executablePath ? '' : ' (skipped: no Chromium on this machine)';

describe.skipIf(!executablePath)(`the mails in a browser${note}`, () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  let entries: readonly PreviewEntry[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'paperboy-mails-'));
    entries = await writePreview({ sender, now: () => NOW, folder });
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_ARGUMENTS });
    page = await (await browser.newContext({ offline: true })).newPage();
  });

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = ({ name, language }: PreviewEntry) =>
    page.goto(pathToFileURL(join(folder, `${name}.${language}.html`)).href);

  test.each(['light', 'dark'] as const)('axe finds nothing to complain of, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 760, height: 900 });
    for (const entry of entries.filter(({ name, language }) => LOOKED_AT.includes(`${name}.${language}`))) {
      await open(entry);
      const { violations } = await new AxeBuilder({ page }).disableRules(NOT_OF_MAILS).analyze();
      const faults = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      expect(faults, `${entry.name}.${entry.language}`).toEqual([]);
    }
  });

  test('nothing is wider than a window of 360 pixels, nor of 380 at 200 % zoom', async () => {
    for (const entry of entries) {
      await open(entry);
      for (const width of [360, 190]) {
        await page.setViewportSize({ width, height: 900 });
        const wide = await page.evaluate('document.documentElement.scrollWidth');
        expect(wide, `${entry.name}.${entry.language} at ${width}`).toBeLessThanOrEqual(width);
      }
    }
  });

  test('dark mode turns the ground dark and the text light', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    for (const entry of entries.filter(({ language }) => language === 'en')) {
      await open(entry);
      const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(ground, entry.name).toBe('rgb(23, 24, 27)');
    }
  });
});

/** Every element of both templates; the other messages differ in words only. */
const LOOKED_AT = [
  'digest-daily-sections.en',
  'digest-daily.ja',
  'digest-nothing.en',
  'confirm.en',
  'paused-until.zh',
];

/** A mail is shown inside a page of the mail reader: landmarks and the one `main` are that page's. */
const NOT_OF_MAILS = ['landmark-one-main', 'region'];
