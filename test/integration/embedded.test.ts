import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#src/embedded/postgres.ts';
import { isPostgres } from '#src/embedded/server-process.ts';

let folder: string;
let servers: EmbeddedPostgres[] = [];
const start = async (options: { share?: boolean } = {}) => {
  const server = await startEmbeddedPostgres(join(folder, 'postgres'), {
    settings: { fsync: 'off' },
    ...options,
  });
  servers.push(server);
  return server;
};
const query = async (url: string, text: string) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};

beforeEach(async () => {
  // mkdtemp makes it 0700: as root the server, which runs as another user, must get through all the same.
  folder = await mkdtemp(join(tmpdir(), 'paperboy-embedded-'));
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test('data is found again on the remembered port after a stop', async () => {
  const first = await start();
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

test('a cluster whose server.json is gone, or can not be read, is left alone; one that was never used is made anew', async () => {
  const first = await start();
  await first.stop();
  const file = join(folder, 'postgres', 'server.json');
  const remembered = await readFile(file);
  await rm(file);
  await expect(start()).rejects.toThrow(/server\.json is gone/);
  await mkdir(file);
  await expect(start()).rejects.toThrow(/EISDIR/);
  await rm(file, { recursive: true });
  await writeFile(file, remembered);
  expect((await start()).url).toBe(first.url);
  await servers.at(-1)?.stop();
  await rm(file);
  await rm(join(folder, 'postgres', 'cluster', 'postmaster.opts'));
  expect((await start()).url).not.toBe(first.url);
});

test('another port is taken, and remembered, when the old one is taken', async () => {
  const first = await start();
  await first.stop();
  const squatter = createServer().listen(first.port, '127.0.0.1');
  await once(squatter, 'listening');
  const second = await start();
  expect(second.port).not.toBe(first.port);
  squatter.close();
  const remembered = JSON.parse(await readFile(join(folder, 'postgres/server.json'), 'utf8'));
  expect(remembered.port).toBe(second.port);
});

test('a second owner is refused with the fix, a command may share', async () => {
  const owner = await start();
  await expect(start()).rejects.toThrow(
    new RegExp(`Another Paperboy \\(process ${process.pid}\\) is using .* set DATA_DIR`),
  );
  const shared = await start({ share: true });
  expect(shared.origin).toBe('shared');
  await shared.stop();
  expect(await query(owner.url, 'select 1 as up')).toEqual([{ up: 1 }]);
});

test('a server left behind by a killed process is taken over', async () => {
  const script = `import { startEmbeddedPostgres } from '#src/embedded/postgres.ts';
    const server = await startEmbeddedPostgres(${JSON.stringify(join(folder, 'postgres'))});
    console.log(server.url); setInterval(() => {}, 1000);`;
  const killed = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(killed.stdout, 'data');
  await query(String(url).trim(), 'create table kept as select 1 as x');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const next = await start();
  expect(next.origin).toBe('adopted');
  expect(await query(next.url, 'select x from kept')).toEqual([{ x: 1 }]);
});

test('a server that was killed itself starts again, whatever its lock file says', async () => {
  const first = await start();
  await query(first.url, 'create table kept as select 1 as x');
  const pidFile = join(folder, 'postgres/cluster/postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => isPostgres(pid), { timeout: 10_000 }).toBe(false);
  const next = await start();
  expect(next.origin).toBe('started');
  expect(await query(next.url, 'select x from kept')).toEqual([{ x: 1 }]);
});
