import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ConfigError } from '#src/config.ts';
import { registerApiKeys } from './api-keys.ts';
import { registerConfig } from './config.ts';
import { registerDigests } from './digests.ts';
import { registerDoctor } from './doctor.ts';
import { registerIngest } from './ingest.ts';
import { CommandError, type Io, standardIo } from './io.ts';
import { registerLedger } from './ledger.ts';
import { registerMail } from './mail.ts';
import { registerRank } from './rank.ts';
import { registerReplay } from './replay.ts';
import { registerServe } from './serve.ts';
import { registerSources } from './sources.ts';
import { registerSubscribers } from './subscribers.ts';
import { registerWhy } from './why.ts';

/** Every command of `paperboy`, in the order of `--help`. */
const registrations = [
  registerServe,
  registerConfig,
  registerDoctor,
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

/** Runs a command line (without `node` and the script). @returns the exit code: 0 done · 1 it failed · 2 the command line or the configuration is wrong. */
export async function main(args: readonly string[], io: Io = standardIo): Promise<number> {
  const program = new Command('paperboy')
    .description(
      'Mails each subscriber, every day at their own hour, the trending papers that match what they follow.',
    )
    .version(version())
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

function version(): string {
  const about = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(about) as { version: string }).version;
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
