import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { escapeHtml } from '../encode-html.ts';
import { LANGUAGES } from '../languages.ts';
import { PREVIEW_COUNT, type PreviewDependencies, previewMessages } from './messages.ts';
import type { Screenshots } from './screenshots.ts';

/** What {@link writePreview} is asked for. */
export type PreviewRequest = PreviewDependencies & {
  /** Folder to write to; made when it is not there. Files of the same name are replaced. */
  readonly folder: string;
  /** Takes the screenshots; absent: none. Closed by the caller. */
  readonly screenshots?: Pick<Screenshots, 'take'>;
  /** Told after each message. */
  readonly onProgress?: (done: number, total: number) => void;
};

/** A written message. */
export type PreviewEntry = {
  readonly name: string;
  readonly language: string;
  readonly subject: string;
  /** Octets of the whole message, and of its HTML part as the reader gets it. */
  readonly octets: number;
  readonly htmlOctets: number;
  /** File names in the folder. */
  readonly files: readonly string[];
};

/**
 * Writes every message in every language as `NAME.LANGUAGE.eml`, `.html` and `.txt` (both as a mail reader decodes them out of the `.eml`),
 * its screenshots, and an `index.html` that shows them all.
 */
export async function writePreview(request: PreviewRequest): Promise<readonly PreviewEntry[]> {
  const { folder, screenshots, onProgress } = request;
  await mkdir(folder, { recursive: true });
  const entries: PreviewEntry[] = [];
  for await (const { name, language, message } of previewMessages(request)) {
    const mail = await PostalMime.parse(message.raw);
    const base = `${name}.${language}`;
    const html = mail.html ?? '';
    const files = [`${base}.eml`, `${base}.html`, `${base}.txt`];
    await writeFile(join(folder, `${base}.eml`), message.raw);
    await writeFile(join(folder, `${base}.html`), html);
    await writeFile(join(folder, `${base}.txt`), mail.text ?? '');
    if (screenshots) files.push(...(await screenshots.take(folder, base)));
    const subject = mail.subject ?? '';
    entries.push({
      name,
      language,
      subject,
      octets: message.raw.length,
      htmlOctets: Buffer.byteLength(html),
      files,
    });
    onProgress?.(entries.length, PREVIEW_COUNT);
  }
  await writeFile(join(folder, 'index.html'), indexPage(entries));
  return entries;
}

/** One row per message, one column per language. */
function indexPage(entries: readonly PreviewEntry[]): string {
  const rows = Map.groupBy(entries, ({ name }) => name);
  const cell = (entry: PreviewEntry | undefined) =>
    entry
      ? `<td>${escapeHtml(entry.subject)}<br>${entry.files.map((file) => `<a href="${escapeHtml(encodeURIComponent(file))}">${escapeHtml(file.replace(`${entry.name}.${entry.language}`, '').slice(1))}</a>`).join(' ')}<br><small>${entry.octets} B, HTML ${entry.htmlOctets} B</small></td>`
      : '<td></td>';
  const body = [...rows].map(
    ([name, row]) =>
      `<tr><th scope="row">${escapeHtml(name)}</th>${LANGUAGES.map((language) => cell(row.find((entry) => entry.language === language))).join('')}</tr>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mails of Paperboy</title>
<style>:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif } td, th { padding: 6px 12px; vertical-align: top; text-align: start; border-top: 1px solid #8884 }</style>
<h1>Mails of Paperboy</h1>
<table><thead><tr><td></td>${LANGUAGES.map((language) => `<th scope="col">${language}</th>`).join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table>
</html>
`;
}
