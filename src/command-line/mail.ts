import type { Command } from 'commander';
import type { Sign } from '#src/mail/dkim.ts';
import { startScreenshots } from '#src/mail/preview/screenshots.ts';
import { writePreview } from '#src/mail/preview/write.ts';
import type { Sender } from '#src/mail/sender.ts';
import { CommandError, type Io, startProgress, table } from './io.ts';

/** What `paperboy mail` needs; made when a command of it runs. */
export type MailCommandDependencies = () => {
  readonly sender: Sender;
  readonly now: () => Date;
  readonly sign?: Sign;
};

/** `paperboy mail preview` */
export function registerMail(program: Command, io: Io, dependencies: MailCommandDependencies): void {
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
      await previewMails(io, { ...dependencies(), ...options });
    });
}

type PreviewOptions = ReturnType<MailCommandDependencies> & {
  readonly out: string;
  readonly screenshots: boolean;
  readonly json?: boolean;
};

async function previewMails(
  io: Io,
  { out, screenshots, json, ...dependencies }: PreviewOptions,
): Promise<void> {
  const camera = screenshots ? await startScreenshots() : undefined;
  if (camera && 'error' in camera) throw new CommandError(camera.error);
  const progress = startProgress(io, 'Messages');
  try {
    const entries = await writePreview({
      ...dependencies,
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
