import type { Command } from 'commander';
import { ConfigError, readConfig } from '#src/config.ts';
import { count, type Finding, type FindingState } from './doctor/check.ts';
import { CONFIGURATION, configurationFault } from './doctor/configuration.ts';
import { examine } from './doctor/examine.ts';
import { type Io, startProgress } from './io.ts';

type Options = { readonly json?: boolean; readonly offline?: boolean };

/** What hangs although the report is there is left behind after so many milliseconds. */
const LEAVE_MS = 3_000;

/** `paperboy doctor` */
export function registerDoctor(program: Command, io: Io): void {
  program
    .command('doctor')
    .description(
      'Look at everything the service depends on, and say what to mend; changes nothing and mails nobody. Exit 1 when something failed, 2 when the configuration has a fault',
    )
    .option('--offline', 'ask no relay, no DNS and not BASE_URL')
    .option(
      '--json',
      'as JSON: {"failed", "warnings", "findings": [{"check", "state", "seen", "fix"}]}; state: ok, warning, failed, skipped',
    )
    .action(async (options: Options) => {
      const findings = await find(io, options.offline === true);
      report(io, findings, options.json === true);
      process.exitCode = exitCodeOf(findings);
      // A server that neither answers nor hangs up must not keep the command from its end.
      setTimeout(() => process.exit(), LEAVE_MS).unref();
    });
}

async function find(io: Io, offline: boolean): Promise<Finding[]> {
  const progress = startProgress(io, 'Checks');
  try {
    return await examine(readConfig(), offline, (done, total) => progress.update(done, total));
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(configurationFault);
    throw error;
  } finally {
    progress.stop();
  }
}

const ORDER: readonly FindingState[] = ['failed', 'warning', 'skipped', 'ok'];

/** Prints what was found, in the order it was looked at. */
function report(io: Io, findings: readonly Finding[], json: boolean): void {
  const counts = Object.fromEntries(
    ORDER.map((state) => [state, findings.filter((finding) => finding.state === state).length]),
  );
  if (json) {
    io.out(JSON.stringify({ failed: counts.failed, warnings: counts.warning, findings }, null, 2));
    return;
  }
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, state, seen, fix } of findings) {
    io.out(`${state.padEnd(7)}  ${check.padEnd(width)}  ${seen}`);
    if (fix) io.out(`${' '.repeat(7)}  ${' '.repeat(width)}  → ${fix}`);
  }
  const { failed = 0, warning = 0, skipped = 0 } = counts;
  io.err(
    `\n${failed} failed, ${count(warning, 'warning')}, ${counts.ok} ok${skipped > 0 ? `, ${skipped} not looked at` : ''}.`,
  );
}

/** 0: nothing failed · 1: something did · 2: the configuration has a fault. */
export function exitCodeOf(findings: readonly Finding[]): number {
  const failures = findings.filter(({ state }) => state === 'failed');
  if (failures.some(({ check }) => check === CONFIGURATION)) return 2;
  return failures.length > 0 ? 1 : 0;
}
