import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A local SMTP server with a web inbox: what is sent to it stays on this machine. */
export type Mailbox = {
  readonly smtpUrl: string;
  readonly webUrl: string;
  stop(): Promise<void>;
};

/**
 * Starts the mailbox (maildev) in a child process; mails are kept as files in `folder` and found again.
 * @throws Error when it is not ready within 30 s
 */
export async function startMailbox(options: {
  folder: string;
  smtpPort: number;
  webPort: number;
}): Promise<Mailbox> {
  await mkdir(options.folder, { recursive: true });
  const args = [options.folder, String(options.smtpPort), String(options.webPort)];
  const child = fork(join(import.meta.dirname, 'mailbox-process.ts'), args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors = (errors + String(chunk)).slice(-2_000);
  });
  const exited = once(child, 'exit');
  const ready = await Promise.race([
    once(child, 'message'),
    exited.then(() => null),
    delay(30_000, null, { ref: false }),
  ]);
  if (!ready) {
    child.kill('SIGKILL');
    throw new Error(
      `The local mailbox did not start on ports ${options.smtpPort} and ${options.webPort}. ${errors}`.trim(),
    );
  }
  return {
    smtpUrl: `smtp://127.0.0.1:${options.smtpPort}`,
    webUrl: `http://localhost:${options.webPort}`,
    stop: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
