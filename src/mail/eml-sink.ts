import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';

/** A local SMTP server that writes one `.eml` file per message; nothing leaves the machine. */
export type EmlSink = {
  /** `smtp://127.0.0.1:port` */
  readonly url: string;
  readonly directory: string;
  /** Messages written since the start. */
  count(): number;
  /** Message-IDs that came more than once, counting the files that were there before. */
  repeats(): readonly string[];
  close(): Promise<void>;
};

/**
 * Starts a sink on the loopback interface. A file is named after the Message-ID, `digest.12@host.eml`; one that comes
 * again gets `~2` and so on, so that a repeat is never hidden. A message is answered with 250 once its file is complete.
 * @param port 0 for a free one
 */
export async function startEmlSink(directory: string, port = 0): Promise<EmlSink> {
  await mkdir(directory, { recursive: true });
  const counts = await readCounts(directory);
  let written = 0;
  const keep = async (raw: Buffer) => {
    const name = fileName(raw, written);
    const n = (counts.get(name) ?? 0) + 1;
    counts.set(name, n);
    const file = join(directory, `${name}${n > 1 ? `~${n}` : ''}.eml`);
    await writeFile(`${file}.part`, raw);
    await rename(`${file}.part`, file);
    written += 1;
  };
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: 50_000_000,
    onData: (stream, _session, done) => void take(stream, keep, done),
  });
  // A client that hangs up is its own business.
  server.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.server.address() as { port: number };
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    directory,
    count: () => written,
    repeats: () => [...counts].filter(([, n]) => n > 1).map(([name]) => name),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function take(
  stream: AsyncIterable<Buffer>,
  keep: (raw: Buffer) => Promise<void>,
  done: (error?: Error) => void,
): Promise<void> {
  try {
    await keep(Buffer.concat(await Array.fromAsync(stream)));
    done();
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Counts the files of earlier runs; half-written ones of a run that was killed are removed: they were not accepted. */
async function readCounts(directory: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const file of await readdir(directory)) {
    if (file.endsWith('.eml.part')) await rm(join(directory, file));
    const name = /^(.*?)(?:~\d+)?\.eml$/.exec(file)?.[1];
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** The Message-ID without its brackets, made safe for a file system; a number when there is none. */
function fileName(raw: Buffer, number: number): string {
  const head = raw.subarray(0, 65_536).toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  const id = /^message-id:\s*<([^>\r\n]+)>/im.exec(head)?.[1] ?? `without-id-${number}`;
  return id
    .replace(/[^A-Za-z0-9@._+-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 200);
}
