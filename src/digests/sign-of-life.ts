import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/**
 * Tells whether processes live that use the same folder, whatever containers of the machine they are in, where process
 * numbers say nothing: each listens on a socket file for as long as it lives, and the system refuses connections
 * to that of a process that is gone.
 */
export type SignsOfLife = {
  /** File of this process; undefined while it does not listen yet, and where the system has no such sockets. */
  own(): string | undefined;
  /** True when the process whose file this is has ended; false also where that can't be known. */
  isDead(name: string): Promise<boolean>;
  /** Removes the files of dead processes but these. */
  tidy(wanted: ReadonlySet<string>): Promise<void>;
};

/** Gives a sign of life in `directory`, which is made, until this process ends; it does not keep the process from ending. */
export function giveSignOfLife(directory: string): SignsOfLife {
  const name = randomBytes(6).toString('hex');
  let listening = false;
  const isDead = async (other: string) => /^[0-9a-f]+$/.test(other) && refuses(join(directory, other));
  const server = createServer((socket) => socket.destroy());
  // A path that is too long, a file system without sockets: then nobody can tell from here.
  server.on('error', () => undefined);
  try {
    mkdirSync(directory, { recursive: true });
    server.listen(join(directory, name), () => {
      listening = true;
    });
    server.unref();
  } catch {}
  return {
    own: () => (listening ? name : undefined),
    isDead,
    tidy: async (wanted) => {
      const names = await readdir(directory).catch(() => []);
      for (const other of names)
        if (!wanted.has(other) && (await isDead(other)))
          await unlink(join(directory, other)).catch(() => undefined);
    },
  };
}

/** Of all faults only a refusal says that nobody listens any more. */
const refuses = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
