/** Numbers by pairs of numbers (32-bit, not negative). */
export type PairTable = {
  get(left: number, right: number): number | undefined;
  set(left: number, right: number, value: number): void;
};

const FREE = -1;

/**
 * An open-addressing hash table with linear probing over typed arrays: abstracts hold hundreds of thousands of different
 * pairs of words, for which a Map takes four times the time and memory.
 */
export function createPairTable(): PairTable {
  let table = emptyTable(1024);
  let used = 0;

  return {
    get(left, right) {
      const slot = find(table, left, right);
      return table.lefts[slot] === FREE ? undefined : table.values[slot];
    },
    set(left, right, value) {
      let slot = find(table, left, right);
      if (table.lefts[slot] === FREE) {
        used += 1;
        if (used * 2 > table.lefts.length) {
          table = enlarge(table);
          slot = find(table, left, right);
        }
      }
      put(table, slot, left, right, value);
    },
  };
}

type Table = { readonly lefts: Int32Array; readonly rights: Int32Array; readonly values: Int32Array };

const emptyTable = (size: number): Table => ({
  lefts: new Int32Array(size).fill(FREE),
  rights: new Int32Array(size),
  values: new Int32Array(size),
});

/** The slot of a pair, or the free one where it belongs. Sizes are powers of two; half of the slots at least are free. */
function find({ lefts, rights }: Table, left: number, right: number): number {
  const mask = lefts.length - 1;
  // Odd constants near 2^32 / golden ratio spread neighbouring numbers (Knuth, TAOCP 3, 6.4).
  const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  let slot = (mixed ^ (mixed >>> 15)) & mask;
  while (lefts[slot] !== FREE && (lefts[slot] !== left || rights[slot] !== right)) slot = (slot + 1) & mask;
  return slot;
}

function put({ lefts, rights, values }: Table, slot: number, left: number, right: number, value: number) {
  lefts[slot] = left;
  rights[slot] = right;
  values[slot] = value;
}

function enlarge(old: Table): Table {
  const table = emptyTable(old.lefts.length * 2);
  old.lefts.forEach((left, from) => {
    if (left === FREE) return;
    const right = old.rights[from] as number;
    put(table, find(table, left, right), left, right, old.values[from] as number);
  });
  return table;
}
