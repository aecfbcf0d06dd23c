#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// Before anything else is loaded. Stripped and compiled modules are kept between starts: a command starts in half the
// time, and a worker without the 30 MB that stripping types takes. Where the folder can't be written, nothing is kept.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/paperboy'));
// V8 would let the heap grow to four times what is alive before it collects: a worker has little alive.
// (Its young generation would grow to 2 × 16 MB, too; V8 reads that limit before any script: the start commands give it.)
setFlagsFromString('--heap-growing-percent=100');

const { main } = await import('./command-line/program.ts');
process.exitCode = await main(process.argv.slice(2));
