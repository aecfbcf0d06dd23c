import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Tells one process from every other, also from a later one with the same number. */
export type Identity = {
  readonly host: string;
  /** Changes with every start of the machine; '' where the system doesn't tell. */
  readonly boot: string;
  /** Process numbers mean something only within one of these (containers); '' where there are none. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** When the process started, in ticks since the boot; '' where the system doesn't tell. */
  readonly started: string;
};

const attempt = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};

/** Fields of /proc/PID/stat from the third on; the name before them may hold anything, parentheses included. */
const statOf = (pid: number | 'self') => {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};
/** Field 22. */
const startOf = (pid: number | 'self') => statOf(pid)[19] ?? '';
/** Field 3: it has ended, and whoever started it has not asked how (a supervisor that never does keeps its number taken). */
const isZombie = (pid: number) => ['Z', 'X'].includes(statOf(pid)[0] ?? '');

let own: Identity | undefined;

/** The identity of the running process. */
export function thisProcess(): Identity {
  own ??= {
    host: hostname(),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    pidNamespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    started: startOf('self'),
  };
  return own;
}

/** An identity as one text. */
export const nameOf = (identity: Identity): string => JSON.stringify(identity);

/** Reads {@link nameOf}; null when it is none. */
export function identityOf(name: string): Identity | null {
  try {
    const identity: Identity | null = JSON.parse(name);
    return typeof identity?.pid === 'number' ? identity : null;
  } catch {
    return null;
  }
}

/** True when that process ran since the machine was last started: what it wrote is in the files. */
export const isSameBoot = (identity: Identity): boolean =>
  identity.boot === thisProcess().boot && (identity.boot !== '' || isSameHost(identity));

/** True when that process ran under the name that this machine has now. */
export const isSameHost = (identity: Identity): boolean => identity.host === thisProcess().host;

/** True when that process is known to have ended; false also where that can't be known from here. */
export function isGone(identity: Identity): boolean {
  const here = thisProcess();
  if (identity.boot !== here.boot || identity.pidNamespace !== here.pidNamespace) return false;
  if (identity.pidNamespace === '' && identity.host !== here.host) return false;
  if (identity.pid === here.pid && identity.started === here.started) return false;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  if (isZombie(identity.pid)) return true;
  // Something has that number: the same process only if it started at the same time.
  return identity.started !== '' && startOf(identity.pid) !== identity.started;
}
