import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on (USER_HZ). */
const TICKS = 100;

type Stat = { readonly pid: number; readonly parent: number; readonly own: number; readonly reaped: number };

/**
 * CPU seconds, user and system, that a process and all its descendants have used so far, those that ended included.
 * NaN where there is no /proc.
 */
export function treeCpuSeconds(root: number): number {
  const all = readAll();
  const mine = new Set([root]);
  // Children may be listed before their parents.
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of all) {
      if (mine.has(parent) && !mine.has(pid)) grown = !!mine.add(pid);
    }
  }
  const used = all.filter(({ pid }) => mine.has(pid));
  if (used.length === 0) return Number.NaN;
  return used.reduce((sum, { own, reaped }) => sum + own + reaped, 0) / TICKS;
}

function readAll(): Stat[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => readStat(Number(name)));
  } catch {
    return [];
  }
}

function readStat(pid: number): Stat[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; fields are counted behind it (proc(5)).
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0, own = 0, ownSystem = 0, reaped = 0, reapedSystem = 0] = [1, 11, 12, 13, 14].map(
      (index) => fields[index],
    );
    return [{ pid, parent, own: own + ownSystem, reaped: reaped + reapedSystem }];
  } catch {
    return [];
  }
}
