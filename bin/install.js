// Runs before `npm start` and `npm test`: installs what the lockfile names when it is not there yet.
// Plain JavaScript, because it must run on whatever Node started npm (20 or newer) before Node 24 is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** @param {string} file @returns {Record<string, any>} */
const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/** True when every package of the lockfile that this platform needs is installed in its locked version. */
function isInstalled() {
  const installed = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installed) || !existsSync(join(root, 'node_modules/.bin/node'))) return false;
  const have = packagesOf(installed);
  return Object.entries(packagesOf(join(root, 'package-lock.json'))).every(
    ([path, wanted]) =>
      path === '' || wanted.optional || wanted.peer || have[path]?.version === wanted.version,
  );
}

if (!isInstalled()) {
  console.error('Paperboy: installing what is missing from the lockfile (once) …');
  // Node 20's npm warns that some packages want a newer Node: they get the pinned one, hence loglevel=error.
  const result = spawnSync('npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund'], {
    cwd: root,
    // standard output is the command's own
    stdio: ['inherit', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    console.error('Paperboy: the installation failed. Run `npm ci` to see why, then try again.');
    process.exit(result.status ?? 1);
  }
}
