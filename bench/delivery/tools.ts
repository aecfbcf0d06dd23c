import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '#test/support/redis.ts';

/** `smtp-source` and `smtp-sink` of postfix (C), and how to run them. */
export type PostfixTools = {
  readonly source: string;
  readonly sink: string;
  readonly env: NodeJS.ProcessEnv;
};

/**
 * Finds the two programs on the PATH, or unpacks Debian's postfix package into a temporary folder (nothing is
 * installed, no daemon is started). Null where neither is possible.
 */
export function findPostfixTools(): PostfixTools | null {
  if (spawnSync('smtp-sink', ['-?']).error === undefined)
    return { source: 'smtp-source', sink: 'smtp-sink', env: process.env };
  const folder = join(tmpdir(), 'paperboy-bench-postfix');
  const programs = join(folder, 'usr/sbin');
  if (!existsSync(join(programs, 'smtp-sink')) && !unpack(folder)) return null;
  const env = { ...process.env, LD_LIBRARY_PATH: join(folder, 'usr/lib/postfix') };
  return { source: join(programs, 'smtp-source'), sink: join(programs, 'smtp-sink'), env };
}

function unpack(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('apt-get', ['download', 'postfix'], { cwd: folder, stdio: 'ignore' });
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
    execFileSync('dpkg', ['-x', archive ?? '', folder], { cwd: folder, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A server of a measurement. */
export type BenchServer = { readonly port: number; readonly pid: number; stop(): Promise<void> };

/** Starts the C sink. */
export async function startPostfixSink(tools: PostfixTools): Promise<BenchServer> {
  const port = await freePort();
  // As root it insists on a user to become.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const child = spawn(tools.sink, [...user, `127.0.0.1:${port}`, '1000'], {
    env: tools.env,
    stdio: 'ignore',
  });
  await delay(300);
  if (child.exitCode !== null) throw new Error(`smtp-sink ended with ${child.exitCode}`);
  return { port, pid: child.pid ?? 0, stop: () => stop(child) };
}

/** Starts `script` of this folder as a process and waits for its first line of JSON, `{ "port": … }`. */
export async function startScript(script: string, args: readonly string[] = []): Promise<BenchServer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
  });
  const { port } = JSON.parse(line) as { port: number };
  return { port, pid: child.pid ?? 0, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** What a measuring process says in its last line of JSON. */
export type Measured = {
  readonly messages: number;
  readonly seconds: number;
  /** User and system CPU of that process, in microseconds per message. */
  readonly cpuUs: number;
  /** Highest resident memory, in megabytes. */
  readonly rssMb: number;
  /** Part of the time in which the event loop had work. */
  readonly busy: number;
  readonly [key: string]: unknown;
};

/** How to run a measuring script. */
export type MeasureOptions = {
  /** Of Node. */
  readonly flags?: readonly string[];
  /** What is done between its warm-up and its measured run, for which it waits: see {@link waitForGo}. */
  readonly whenWarm?: () => Promise<void>;
};

/** Runs a measuring script to its end and reads what it measured: its last line of JSON. */
export async function measure(
  script: string,
  args: readonly string[],
  { flags = [], whenWarm }: MeasureOptions = {},
): Promise<Measured> {
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Where src/main.ts keeps compiled modules.
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/paperboy'),
    },
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === WARM) {
      await whenWarm?.();
      child.stdin.write('go\n');
    } else last = line;
  }
  const code = await ended;
  if (code !== 0) throw new Error(`${script} ended with ${String(code)}:\n${last}`);
  return JSON.parse(last) as Measured;
}

const WARM = 'warm';

/** For a measuring script: says that its warm-up is over, and waits until the run may begin. */
export async function waitForGo(): Promise<void> {
  console.log(WARM);
  await once(process.stdin, 'data');
  process.stdin.pause();
}

/** Seconds that `smtp-source` takes to send `messages` of `size` octets over `connections`. */
export function runSmtpSource(
  tools: PostfixTools,
  port: number,
  options: { messages: number; size: number; connections: number },
): number {
  const { messages, size, connections } = options;
  const flags = ['-s', connections, '-l', size, '-m', messages, '-f', 'a@example.org', '-t', 'b@example.org'];
  const start = performance.now();
  const result = spawnSync(tools.source, [...flags.map(String), `127.0.0.1:${port}`], { env: tools.env });
  if (result.status !== 0) throw new Error(`smtp-source failed: ${String(result.stderr)}`);
  return (performance.now() - start) / 1_000;
}

/** Measures `work` in this process. */
export async function measured(messages: number, work: () => Promise<object | void>): Promise<Measured> {
  let rss = process.memoryUsage.rss();
  const timer = setInterval(() => {
    rss = Math.max(rss, process.memoryUsage.rss());
  }, 50);
  const cpu = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const start = performance.now();
  const more = (await work()) ?? {};
  const seconds = (performance.now() - start) / 1_000;
  const used = process.cpuUsage(cpu);
  clearInterval(timer);
  rss = Math.max(rss, process.memoryUsage.rss());
  return {
    messages,
    seconds,
    cpuUs: (used.user + used.system) / messages,
    rssMb: Math.round(rss / 1e6),
    busy: performance.eventLoopUtilization(loop).utilization,
    ...more,
  };
}

/** A message of about `size` octets in short lines, without dots at their beginning. */
export function fixedMessage(size: number): Buffer {
  const head = 'Message-ID: <fixed@example.org>\r\nSubject: fixed\r\n\r\n';
  const line = `${'x'.repeat(74)}\r\n`;
  return Buffer.from(head + line.repeat(Math.ceil((size - head.length) / line.length)));
}
