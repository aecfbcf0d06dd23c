import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceItem } from '#src/papers/paper.ts';
import { createSources } from '#src/papers/sources/sources.ts';

/** All that a source reads out of a file of this name and content, at `now`. */
export async function readSource(
  source: string,
  file: { readonly name: string; readonly content: string | Buffer },
  now: Date,
): Promise<SourceItem[]> {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-source-'));
  try {
    const path = join(folder, file.name);
    await writeFile(path, file.content);
    const items = createSources()
      .get(source)
      ?.read({ now, files: [path] });
    return await Array.fromAsync(items ?? []);
  } finally {
    await rm(folder, { recursive: true });
  }
}
