#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { registerApiKeys } from './command-line/api-keys.ts';
import { registerConfig } from './command-line/config.ts';
import { registerDigests } from './command-line/digests.ts';
import { registerIngest } from './command-line/ingest.ts';
import { CommandError, type Io, standardIo } from './command-line/io.ts';
import { registerLedger } from './command-line/ledger.ts';
import { registerMail } from './command-line/mail.ts';
import { registerRank } from './command-line/rank.ts';
import { registerReplay } from './command-line/replay.ts';
import { registerServe } from './command-line/serve.ts';
import { registerSources } from './command-line/sources.ts';
import { registerSubscribers } from './command-line/subscribers.ts';
import { registerWhy } from './command-line/why.ts';
import { ConfigError } from './config.ts';

/** Every command of `paperboy`, in the order of `--help`. */
const registrations = [
  registerServe,
  registerConfig,
  registerIngest,
  registerSources,
  registerSubscribers,
  registerDigests,
  registerLedger,
  registerReplay,
  registerMail,
  registerApiKeys,
  registerRank,
  registerWhy,
] as const;

/** Exit codes: 0 done · 1 it failed · 2 the command line or the configuration is wrong. */
async function main(args: readonly string[], io: Io): Promise<number> {
  const program = new Command('paperboy')
    .description(
      'Mails each subscriber, every day at their own hour, the trending papers that match what they follow.',
    )
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  for (const register of registrations) register(program, io);
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return exitCodeOf(error, io);
  }
}

function exitCodeOf(error: unknown, io: Io): number {
  // commander has printed its message, or the help that was asked for
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof ConfigError) {
    io.err(error.message);
    return 2;
  }
  if (error instanceof CommandError) {
    io.err(error.message);
    return 1;
  }
  io.err(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
}

process.exitCode = await main(process.argv.slice(2), standardIo);
