import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { assembleKernels } from '../../../bin/assemble-kernels.ts';

it('the kernels are what their text says', async () => {
  const stored = readFileSync(new URL('../../../src/matching/kernels.wasm', import.meta.url));
  expect(
    stored.equals(await assembleKernels()),
    'src/matching/kernels.wasm is out of date: npm run kernels',
  ).toBe(true);
});
