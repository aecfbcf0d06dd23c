// Run after adding a dependency through a registry that lacks some platforms' packages (a caching proxy, say): npm
// then leaves them out of the lockfile, and `npm ci` refuses it on every machine (npm/cli issue 9846). Adds an entry
// for every optional dependency that has none, with what its name tells of the platform.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, '../package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const { packages } = lock;

/** @param {string} name @param {readonly string[]} words */
const named = (name, words) => words.filter((word) => name.split(/[-/]/).includes(word));

/** Where the name is one of a platform's package, which npm then skips elsewhere without asking the registry. */
const platform = (/** @type {string} */ name) => {
  const os = named(name, [
    'aix',
    'android',
    'darwin',
    'freebsd',
    'linux',
    'netbsd',
    'openbsd',
    'openharmony',
    'sunos',
    'win32',
    'windows',
  ]);
  const cpu = named(name, [
    'arm',
    'arm64',
    'ia32',
    'loong64',
    'mips64el',
    'ppc64',
    'riscv64',
    's390x',
    'x64',
    'wasm32',
  ]);
  const libc = named(name, ['musl']);
  return {
    ...(os.length > 0 ? { os: os.map((word) => (word === 'windows' ? 'win32' : word)) } : {}),
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(libc.length > 0 ? { libc } : {}),
  };
};

const added = [];
for (const [path, entry] of Object.entries(packages))
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`;
    const hoisted = `node_modules/${name}`;
    if (path === '' || packages[nested] || packages[hoisted] || !/^\d/.test(version.replace(/^\^/, '')))
      continue;
    const { dev } = entry;
    packages[hoisted] = {
      version: version.replace(/^\^/, ''),
      ...platform(name),
      ...(dev ? { dev } : {}),
      optional: true,
    };
    added.push(name);
  }
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'The lockfile is complete.' : `Added to the lockfile: ${added.join(', ')}`);
