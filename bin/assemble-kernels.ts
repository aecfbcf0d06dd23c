// Assembles src/matching/kernels.wat (WebAssembly text) into kernels.wasm beside it: `npm run kernels`. A test compares the two.
import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

const folder = new URL('../src/matching/', import.meta.url);

/** The octets that kernels.wasm should hold. */
export async function assembleKernels(): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const module = parseWat('kernels.wat', readFileSync(new URL('kernels.wat', folder), 'utf8'));
  try {
    module.validate();
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

if (import.meta.main) writeFileSync(new URL('kernels.wasm', folder), await assembleKernels());
