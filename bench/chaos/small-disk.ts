import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Room for a PostgreSQL cluster, its log and the rows of a case. */
const SIZE = '400m';

/** A file system of its own. */
export type SmallDisk = { readonly folder: string; unmount(): Promise<void> };

/** Mounts a small file system in memory, whose space can be used up; null where that isn't allowed (it takes root, on Linux). */
export async function mountSmallDisk(): Promise<SmallDisk | null> {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-small-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0755`, 'tmpfs', folder]);
  } catch {
    await rm(folder, { recursive: true, force: true });
    return null;
  }
  return {
    folder,
    unmount: async () => {
      await run('umount', ['--lazy', folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
