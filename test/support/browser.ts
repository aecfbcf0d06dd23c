import { existsSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const EXECUTABLE = '/usr/bin/chromium';

/** False where Debian's Chromium is not installed: browser tests then skip, with {@link browserNote} in their name. */
export const hasBrowser = existsSync(EXECUTABLE);

/** Add to the title of a `describe.skipIf(!hasBrowser)`. */
export const browserNote = hasBrowser ? '' : ` (SKIPPED: no ${EXECUTABLE} on this machine)`;

/** Starts the browser; close it in `afterAll`. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-gpu'] });

/** How a visitor looks at the pages. */
export type Look = {
  readonly scheme: 'light' | 'dark';
  /** CSS pixels. */
  readonly width: 360 | 1280;
  readonly javaScript: boolean;
};

/** A visitor of their own: no cookies, no cache. Every request to another host fails the test. */
export async function visitor(
  browser: Browser,
  look: Look,
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({
    colorScheme: look.scheme,
    viewport: { width: look.width, height: 900 },
    javaScriptEnabled: look.javaScript,
    timezoneId: 'Asia/Tokyo',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('request', (request) => {
    if (!request.url().startsWith('http://localhost:') && !request.url().startsWith('data:'))
      throw new Error(`a page asked another host: ${request.url()}`);
  });
  return { context, page };
}

/** Nothing for axe-core to find (WCAG 2.2 AA and best practices), and nothing wider than the window. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
  expect(found, page.url()).toEqual([]);
  const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
  expect(overflow, `${page.url()} is wider than the window`).toBeLessThanOrEqual(0);
}
