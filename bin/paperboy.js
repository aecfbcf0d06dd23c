#!/usr/bin/env node
// `npx paperboy …` on whatever Node npm runs on: hands over to the pinned Node 24, which reads .ts directly.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
await import('./install.js');
const pinned = join(root, 'node_modules/.bin/node');
const child = spawn(
  existsSync(pinned) ? pinned : process.execPath,
  [join(root, 'src/main.ts'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
