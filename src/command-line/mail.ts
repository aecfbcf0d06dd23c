import { mkdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { readConfig } from '#src/config.ts';
import { startScreenshots } from '#src/mail/preview/screenshots.ts';
import { writePreview } from '#src/mail/preview/write.ts';
import { senderOf } from '#src/sender.ts';
import { signerOf } from '#src/signer.ts';
import { CommandError, type Io, startProgress, table } from './io.ts';

/** `paperboy mail preview` */
export function registerMail(program: Command, io: Io): void {
  const mail = program.command('mail').description('Look at the mails');
  mail
    .command('preview')
    .description(
      'Write every message in every language as .eml, .html, .txt and screenshots, and an index.html; sample papers, no database',
    )
    .requiredOption('--out <dir>', 'folder to write to; made when it is not there')
    .option('--no-screenshots', 'only the messages: no Chromium needed')
    .option(
      '--json',
      'print what was written as JSON: [{"name", "language", "subject", "octets", "htmlOctets", "files"}]',
    )
    .action(async (options: { out: string; screenshots: boolean; json?: boolean }) => {
      await previewMails(io, options);
    });
}

type PreviewOptions = { readonly out: string; readonly screenshots: boolean; readonly json?: boolean };

/** Keys the hashes in a preview: the service's own secret stays unread. */
const PREVIEW_SECRET = 'a preview is signed with no secret';

async function previewMails(io: Io, { out, screenshots, json }: PreviewOptions): Promise<void> {
  const config = readConfig();
  const now = () => new Date();
  const sign = signerOf(config, now);
  const sender = senderOf(
    config,
    config.web.baseUrl ?? `http://localhost:${config.web.port}`,
    PREVIEW_SECRET,
  );
  await mkdir(out, { recursive: true }).catch((error: Error) => {
    throw new CommandError(`--out ${out} can't be written to: ${error.message}`);
  });
  const camera = screenshots ? await startScreenshots() : undefined;
  if (camera && 'error' in camera) throw new CommandError(camera.error);
  const progress = startProgress(io, 'Messages');
  try {
    const entries = await writePreview({
      sender,
      now,
      ...(sign ? { sign } : {}),
      folder: out,
      onProgress: (done, total) => progress.update(done, total),
      ...(camera ? { screenshots: camera } : {}),
    });
    if (json) io.out(JSON.stringify(entries, null, 2));
    else
      io.out(
        table(
          entries.map(({ name, language, octets, htmlOctets, subject }) => ({
            name,
            language,
            octets,
            htmlOctets,
            subject,
          })),
        ),
      );
    io.err(`${entries.length} messages: open ${out}/index.html`);
  } finally {
    progress.stop();
    await camera?.close();
  }
}
