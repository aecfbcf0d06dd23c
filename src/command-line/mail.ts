import { mkdir } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { readConfig } from '#src/config.ts';
import { createLog } from '#src/log.ts';
import { isMailable } from '#src/mail/header.ts';
import { LANGUAGES } from '#src/mail/languages.ts';
import { createNoticeComposer } from '#src/mail/notice-mail.ts';
import { startScreenshots } from '#src/mail/preview/screenshots.ts';
import { writePreview } from '#src/mail/preview/write.ts';
import { senderOf } from '#src/sender.ts';
import { openTransport } from '#src/service.ts';
import { signerOf } from '#src/signer.ts';
import { CommandError, type Io, startProgress, table } from './io.ts';
import { registerDkim } from './mail-dkim.ts';
import { registerInbound } from './mail-inbound.ts';
import { withServices } from './with-services.ts';

/** `paperboy mail preview | test | inbound | dkim` */
export function registerMail(program: Command, io: Io): void {
  const mail = program.command('mail').description('Look at the mails, send a test, take in what comes back');
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
  mail
    .command('test')
    .description(
      'Send the test mail the way every digest goes, and say what the server answered; exit 1 unless it took it',
    )
    .requiredOption('--to <address>')
    .addOption(new Option('--language <tag>', 'language of the mail').choices(LANGUAGES).default('en'))
    .option('--json', 'as JSON: {"messageId", "signed", "type", "reply"}')
    .action((options: { to: string; language: string; json?: boolean }) => sendTest(io, options));
  registerInbound(mail, io);
  registerDkim(mail, io);
}

/** `paperboy mail test` */
async function sendTest(io: Io, options: { to: string; language: string; json?: boolean }): Promise<void> {
  if (!isMailable(options.to))
    throw new CommandError(`--to ${options.to}: not an address that can be mailed`);
  const outcome = await withServices(async ({ config, backing }) => {
    if (backing.smtpUrls.length === 0)
      throw new CommandError(
        'SMTP_URL is not set, and no local mailbox runs: set it, or run `paperboy start` beside this.',
      );
    const now = () => new Date();
    const sign = signerOf(config, now);
    const baseUrl = config.web.baseUrl ?? `http://localhost:${config.web.port}`;
    const sender = senderOf(config, baseUrl, backing.secret);
    const composer = createNoticeComposer({ sender, now, ...(sign ? { sign } : {}) });
    const request = {
      id: now().getTime(),
      notice: { kind: 'test' },
      email: options.to,
      language: options.language,
      links: {},
    } as const;
    const message = await composer.compose(request);
    if ('skip' in message) throw new CommandError(message.skip);
    const transport = openTransport(config, backing, createLog({ level: 'warn', pretty: true }));
    try {
      return {
        messageId: message.messageId,
        signed: sign !== undefined,
        ...(await transport.send(message, async () => true)),
      };
    } finally {
      await transport.close();
    }
  });
  if (options.json) io.out(JSON.stringify(outcome));
  else io.out(`${outcome.type}: ${outcome.reply}${outcome.signed ? ' (signed with DKIM)' : ''}`);
  if (outcome.type !== 'accepted') process.exitCode = 1;
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
