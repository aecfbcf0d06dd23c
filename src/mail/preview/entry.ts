import PostalMime from 'postal-mime';
import { rawOf } from '../content.ts';
import { escapeHtml } from '../encode-html.ts';
import { LANGUAGES } from '../languages.ts';
import type { PreviewMessage } from './messages.ts';

/** A message of the preview, as a mail reader takes it apart. */
export type PreviewEntry = {
  readonly name: string;
  readonly language: string;
  readonly subject: string;
  /** Octets of the whole message, and of its HTML part. */
  readonly octets: number;
  readonly htmlOctets: number;
  /** Names of its files. */
  readonly files: readonly string[];
};

/** An entry, and what its files hold, by name: `NAME.LANGUAGE.eml`, `.html`, `.txt`. */
export type ReadBack = {
  readonly entry: PreviewEntry;
  readonly contents: ReadonlyMap<string, Buffer | string>;
};

/** Parses a message back. */
export async function readBack({ name, language, message }: PreviewMessage): Promise<ReadBack> {
  const raw = rawOf(message);
  const { subject = '', html = '', text = '' } = await PostalMime.parse(raw);
  const base = `${name}.${language}`;
  const contents = new Map<string, Buffer | string>([
    [`${base}.eml`, raw],
    [`${base}.html`, html],
    [`${base}.txt`, text],
  ]);
  const octets = raw.length;
  const htmlOctets = Buffer.byteLength(html);
  return { entry: { name, language, subject, octets, htmlOctets, files: [...contents.keys()] }, contents };
}

/**
 * A page over all messages: one row per message, one column per language.
 * @param prefix what stands before the file names in links, such as `/mails/`
 */
export function indexPage(entries: readonly PreviewEntry[], prefix = ''): string {
  const rows = [...Map.groupBy(entries, ({ name }) => name)].map(([name, row]) => {
    const cells = LANGUAGES.map((language) =>
      cell(
        row.find((entry) => entry.language === language),
        prefix,
      ),
    );
    return `<tr><th scope="row">${escapeHtml(name)}</th>${cells.join('')}</tr>`;
  });
  const heads = LANGUAGES.map((language) => `<th scope="col">${language}</th>`);
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mails of Paperboy</title>
<style>:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif } td, th { padding: 6px 12px; vertical-align: top; text-align: start; border-top: 1px solid #8884 }</style>
<h1>Mails of Paperboy</h1>
<table><thead><tr><td></td>${heads.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>
</html>
`;
}

function cell(entry: PreviewEntry | undefined, prefix: string): string {
  if (!entry) return '<td></td>';
  const base = `${entry.name}.${entry.language}.`;
  const links = entry.files.map(
    (file) =>
      `<a href="${escapeHtml(prefix + encodeURIComponent(file))}">${escapeHtml(file.slice(base.length))}</a>`,
  );
  return `<td>${escapeHtml(entry.subject)}<br>${links.join(' ')}<br><small>${entry.octets} B, HTML ${entry.htmlOctets} B</small></td>`;
}
