import { readFileSync } from 'node:fs';

/** The functions of kernels.wat, on a memory; places and sizes are in bytes, numbers are of 32 bits. */
export type Kernels = {
  /** `sums[i] += a[i] × p + b[i] × q + c[i] × r + d[i] × s`, from `sums` until `end`: a multiple of {@link LANES}. */
  add(
    ...given: readonly [
      ...where: [sums: number, end: number, a: number, b: number, c: number, d: number],
      ...factors: [p: number, q: number, r: number, s: number],
    ]
  ): void;
  /**
   * `sums[documents[i]] += values[i] × weight` for each stretch of a list, from `list` until `end`: {@link STRETCH} bytes each, where it
   * begins and ends, counted in numbers (32-bit integers), and its weight.
   */
  scatter(list: number, end: number, documents: number, values: number, sums: number): void;
  /** Writes the sum of the numbers from `at` until `end` to `result`, and behind it that of their squares, in 64 bits. */
  moments(at: number, end: number, result: number): void;
  /** `numbers[i] = (numbers[i] + addend) × factor`, from `at` until `end`: a multiple of {@link LANES}. */
  shift(at: number, end: number, addend: number, factor: number): void;
  /**
   * Products of rows of 16-bit numbers, `size` bytes each, from `row` until `end`, four at a time, with eight vectors side by side, times
   * `unit`. Those with one vector stand in a row, `stride` bytes (a multiple of {@link LANES}) after those with the one before.
   */
  multiply(
    ...given: readonly [
      ...rows: [row: number, end: number, size: number],
      ...others: [vectors: number, results: number, stride: number, unit: number],
    ]
  ): void;
};

/** Bytes of a number, and of the four that are reckoned with at a time. */
export const NUMBER = 4;
export const LANES = 16;
/** Bytes of a stretch. */
export const STRETCH = 3 * NUMBER;

/** Bytes of so many numbers, up to whole lanes. */
export const padded = (numbers: number): number => Math.ceil((numbers * NUMBER) / LANES) * LANES;

/** A memory of zeros with the kernels on it. What is never written takes no memory of the machine. */
export function createKernels(bytes: number): { readonly buffer: ArrayBuffer; readonly kernels: Kernels } {
  const memory = new Memory({ initial: Math.ceil(bytes / PAGE) });
  compiled ??= new Module(readFileSync(new URL('./kernels.wasm', import.meta.url)));
  return { buffer: memory.buffer, kernels: new Instance(compiled, { from: { memory } }).exports };
}

/** WebAssembly's unit of memory. */
const PAGE = 2 ** 16;

/** What is used of WebAssembly, which this compiler's library knows of browsers alone. */
const { Memory, Module, Instance } = (
  globalThis as unknown as {
    WebAssembly: {
      Memory: new (options: { initial: number }) => { readonly buffer: ArrayBuffer };
      Module: new (octets: Uint8Array) => object;
      Instance: new (module: object, given: object) => { exports: Kernels };
    };
  }
).WebAssembly;

let compiled: object | undefined;
