#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { HEAP_FLAGS } from './heap-flags.ts';

// V8 takes them at its start only: the process begins anew, as itself (20 ms), with the operator's own flags behind ours, where they win.
if (process.execve && process.platform !== 'win32' && !process.execArgv.includes(HEAP_FLAGS[0] ?? '')) {
  process.execve(process.execPath, [
    process.execPath,
    ...HEAP_FLAGS,
    ...process.execArgv,
    ...process.argv.slice(1),
  ]);
}
// Before anything else is loaded. Stripped and compiled modules are kept between starts: a command starts in half the
// time, and a worker without the 30 MB that stripping types takes. Where the folder can't be written, nothing is kept.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/paperboy'));

const { main } = await import('./command-line/program.ts');
process.exitCode = await main(process.argv.slice(2));
