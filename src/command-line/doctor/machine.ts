import { constants } from 'node:fs';
import { access, readFile, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '#src/config.ts';
import { type Check, type Finding, failed, ok, size, warning, wordsOf } from './check.ts';

/** Whether this Node runs Paperboy. @param version `process.versions.node` */
export function judgeNode(version: string): Finding {
  return Number.parseInt(version, 10) >= 24
    ? ok('node', version)
    : failed('node', version, 'Node.js 24 is needed: run it as `npx paperboy …`, which brings its own');
}

/** What is known of a folder. */
export type FolderFacts = {
  readonly folder: string;
  /** The folder itself or, where it is not there yet, the nearest above it. */
  readonly nearest: string;
  /** Why it can't be written to; null when it can. */
  readonly fault: string | null;
  readonly freeOctets: number;
  /** The number by which Linux tells file systems apart (statfs(2)); null elsewhere. */
  readonly fileSystem: number | null;
};

/** File systems on other machines, as statfs(2) numbers them, and memory, which a restart empties. */
const NETWORK = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x01161970, 'GFS2'],
]);
const TMPFS = 0x01021994;

/** Below so many octets free the next day's work may not fit; below so many it does not. */
const FREE = { warning: 1e9, failed: 100e6 };

/** Whether DATA_DIR will do. */
export function judgeFolder(facts: FolderFacts): Finding {
  const { folder, nearest, fault, freeOctets, fileSystem } = facts;
  const where =
    nearest === folder
      ? `${folder}, ${size(freeOctets)} free`
      : `${folder} is not there yet, ${size(freeOctets)} free`;
  const network = fileSystem === null ? undefined : NETWORK.get(fileSystem);
  if (fault !== null)
    return failed(
      'data folder',
      `${nearest} can't be written to (${fault})`,
      'DATA_DIR: set it to a folder that can',
    );
  if (freeOctets < FREE.failed)
    return failed('data folder', where, 'make room, or set DATA_DIR to a larger disk');
  if (network)
    return warning(
      'data folder',
      `${where}, on ${network}`,
      'DATA_DIR: a disk of this machine; the send journal in it must outlive a crash, and be fast',
    );
  if (fileSystem === TMPFS)
    return warning(
      'data folder',
      `${where}, in memory (tmpfs)`,
      'DATA_DIR: a disk; what is in memory is gone after a restart',
    );
  if (freeOctets < FREE.warning) return warning('data folder', where, 'make room soon');
  return ok('data folder', where);
}

/** What is known of the secret that signs the links. `length`: of the kept one. */
export type SecretFacts =
  | { readonly kept: 'in the settings' | 'nowhere' }
  | { readonly kept: 'in a file'; readonly file: string; readonly length: number; readonly isOpen: boolean };

/** Without the same secret all links in mails of before are dead. */
export function judgeSecret(facts: SecretFacts): Finding {
  switch (facts.kept) {
    case 'in the settings':
      return ok('secret', 'SECRET is set');
    case 'nowhere':
      return ok('secret', 'not made yet: the first start makes one in DATA_DIR');
    case 'in a file': {
      const { file, length, isOpen } = facts;
      if (length < 32)
        return failed(
          'secret',
          `${file} is damaged`,
          'SECRET: set the one that was in it, or delete it (links mailed so far stop working)',
        );
      return isOpen
        ? warning('secret', `${file} can be read by others on this machine`, `chmod 600 ${file}`)
        : ok('secret', `kept in ${file}`);
    }
  }
}

/** Node, DATA_DIR and the secret in it. */
export function checkMachine(config: Config): Check[] {
  const fix = 'DATA_DIR: a folder on a disk of this machine that can be read and written to';
  const check = (name: string, look: () => Promise<Finding>): Check => ({
    name,
    fix,
    run: async () => [await look()],
  });
  return [
    check('node', async () => judgeNode(process.versions.node)),
    check('data folder', async () => judgeFolder(await readFolder(config.dataDir))),
    check('secret', async () => judgeSecret(await readSecretFacts(config))),
  ];
}

/** Looks at a folder; makes and writes nothing. */
export async function readFolder(folder: string): Promise<FolderFacts> {
  const nearest = await nearestFolder(folder);
  const may = constants.R_OK | constants.W_OK | constants.X_OK;
  const fault = (await stat(nearest)).isDirectory()
    ? await access(nearest, may).then(() => null, wordsOf)
    : 'it is no folder';
  const { bavail, bsize, type } = await statfs(nearest);
  return {
    folder,
    nearest,
    fault,
    freeOctets: bavail * bsize,
    fileSystem: process.platform === 'linux' ? type : null,
  };
}

async function readSecretFacts({ secret, dataDir }: Config): Promise<SecretFacts> {
  if (secret !== null) return { kept: 'in the settings' };
  const file = join(dataDir, 'secret');
  try {
    const { mode } = await stat(file);
    const { length } = (await readFile(file, 'utf8')).trim();
    return { kept: 'in a file', file, length, isOpen: process.platform !== 'win32' && (mode & 0o077) !== 0 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kept: 'nowhere' };
    throw error;
  }
}

async function nearestFolder(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      await access(at);
      return at;
    } catch (error) {
      const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isAbsent || dirname(at) === at) return at;
    }
  }
}
