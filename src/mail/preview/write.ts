import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { indexPage, type PreviewEntry, readBack } from './entry.ts';
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

/**
 * Writes every message in every language as `NAME.LANGUAGE.eml`, `.html` and `.txt` (both as a mail reader decodes them out of the
 * `.eml`), its screenshots, and an `index.html` that shows them all.
 */
export async function writePreview(request: PreviewRequest): Promise<readonly PreviewEntry[]> {
  const { folder, screenshots, onProgress } = request;
  await mkdir(folder, { recursive: true });
  const entries: PreviewEntry[] = [];
  for await (const message of previewMessages(request)) {
    const { entry, contents } = await readBack(message);
    for (const [file, content] of contents) await writeFile(join(folder, file), content);
    const pictures = (await screenshots?.take(folder, `${entry.name}.${entry.language}`)) ?? [];
    entries.push({ ...entry, files: [...entry.files, ...pictures] });
    onProgress?.(entries.length, PREVIEW_COUNT);
  }
  await writeFile(join(folder, 'index.html'), indexPage(entries));
  return entries;
}
