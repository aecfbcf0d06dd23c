import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Takes pictures of written previews. */
export type Screenshots = {
  /** Pictures of `BASE.html` in the folder: in a wide and a narrow window, light and dark. Answers the names of the files. */
  take(folder: string, base: string): Promise<readonly string[]>;
  close(): Promise<void>;
};

const VIEWS = [
  { name: 'wide-light', width: 760, colorScheme: 'light' },
  { name: 'wide-dark', width: 760, colorScheme: 'dark' },
  { name: 'narrow-light', width: 360, colorScheme: 'light' },
  { name: 'narrow-dark', width: 360, colorScheme: 'dark' },
] as const;

/** Where distributions put Chromium. */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A Chromium that talks to nobody. */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The installed Chromium, or undefined. */
export async function findChromium(): Promise<string | undefined> {
  for (const path of CHROMIUM) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/**
 * Starts a Chromium for screenshots.
 * @returns an error in words when there is no Chromium, or no playwright-core (a development dependency)
 */
export async function startScreenshots(): Promise<Screenshots | { readonly error: string }> {
  const executablePath = await findChromium();
  if (!executablePath)
    return {
      error:
        'no Chromium found (looked for ' + CHROMIUM.join(', ') + '): install it, or use --no-screenshots',
    };
  const playwright = await import('playwright-core').catch(() => null);
  if (!playwright)
    return {
      error:
        'playwright-core is not installed (npm install includes it unless --omit=dev): or use --no-screenshots',
    };
  const browser = await playwright.chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS });
  const page = await browser.newPage({ offline: true });
  return {
    take: async (folder, base) => {
      await page.goto(pathToFileURL(join(folder, `${base}.html`)).href);
      const files: string[] = [];
      for (const { name, width, colorScheme } of VIEWS) {
        await page.setViewportSize({ width, height: 600 });
        await page.emulateMedia({ colorScheme });
        const file = `${base}.${name}.png`;
        await page.screenshot({ path: join(folder, file), fullPage: true });
        files.push(file);
      }
      return files;
    },
    close: () => browser.close(),
  };
}
