import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { createReceiveMail } from '#src/digests/receive-mail.ts';
import { LARGEST_INBOUND } from '#src/mail/inbound/inbound-mail.ts';
import { senderOf } from '#src/sender.ts';
import { addressKey } from '#src/subscribers/lifecycle.ts';
import { CommandError, type Io } from './io.ts';
import { withServices } from './with-services.ts';

/** EX_TEMPFAIL of sysexits(3): Postfix, Exim and Sendmail keep the mail and try again. */
const TRY_AGAIN = 75;

type InboundOptions = { readonly recipient?: string; readonly file?: string; readonly json?: boolean };

/** `paperboy mail inbound` */
export function registerInbound(mail: Command, io: Io): void {
  mail
    .command('inbound')
    .description(
      'Read one mail that came to BOUNCE_ADDRESS from standard input, for a pipe of Postfix, Exim or Sendmail: hard bounces and complaints suppress the address that our own tag names, an unsubscribe request with our token unsubscribes, all else is left alone. Exit 0 once it is dealt with, 75 when it is to be tried again',
    )
    .option(
      '--recipient <address>',
      'address it was delivered to (Postfix: ${recipient}), when its headers may not tell',
    )
    .option('--file <path>', 'read this file instead of standard input')
    .option('--json', 'as JSON: {"type", "did", "about", "detail"}')
    .action(async (options: InboundOptions) => {
      const raw = await readMail(options.file);
      try {
        await receive(io, raw, options);
      } catch (error) {
        // Any other exit code would make the mail server bounce the bounce, and lose it.
        io.err(`${error instanceof Error ? error.message : String(error)}: to be tried again`);
        process.exitCode = TRY_AGAIN;
      }
    });
}

async function receive(io: Io, raw: Buffer, { recipient, json }: InboundOptions): Promise<void> {
  const received = await withServices(async (context) => {
    const { config, backing, suppressions, subscribers, tokens, now } = context;
    const sender = senderOf(config, '', backing.secret);
    const { database } = backing;
    const take = createReceiveMail({
      database,
      key: sender.key,
      suppressions,
      subscribers,
      tokens,
      addressKey,
      now,
    });
    return take(raw, recipient);
  });
  if (json) io.out(JSON.stringify(received));
  else {
    const { type, did, about, detail } = received;
    io.out([`${type}: ${did}`, about, detail].filter((part) => part !== undefined).join(' · '));
  }
}

function readMail(file: string | undefined): Promise<Buffer> {
  if (file === undefined) return readUpTo(process.stdin, LARGEST_INBOUND);
  return readUpTo(createReadStream(file), LARGEST_INBOUND).catch((error: Error) => {
    throw new CommandError(`--file ${file} can't be read: ${error.message}`);
  });
}

/** The first octets of a stream; the rest is read and dropped, so that who writes it is not stopped. */
async function readUpTo(stream: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (size < limit) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
