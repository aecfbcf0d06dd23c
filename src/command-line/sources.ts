import type { Command } from 'commander';
import type { SectionStatus, SourceStatus } from '#src/papers/source-health.ts';
import { openReading } from '#src/reading.ts';
import { type Io, table } from './io.ts';
import { withServices } from './with-services.ts';

/** `paperboy sources` */
export function registerSources(program: Command, io: Io): void {
  program
    .command('sources')
    .description(
      'Show how the configured sources are: last success, lag, faults; exit 1 when one is failing or stale',
    )
    .option('--poll', 'read all of them from the network first')
    .option('--json')
    .action((options: { poll?: boolean; json?: boolean }) => show(io, options));
}

async function show(io: Io, options: { poll?: boolean; json?: boolean }): Promise<void> {
  await withServices(async ({ config, backing, sourceStatuses }) => {
    const reading = openReading({ config, database: backing.database, log: null, now: () => new Date() });
    try {
      if (options.poll)
        for (const name of config.papers.sources)
          await reading.poll(name).catch((error: Error) => io.err(`${name}: ${error.message}`));
      const statuses = await sourceStatuses();
      if (options.json) io.out(JSON.stringify(statuses));
      else
        io.out(table(statuses.flatMap((status) => [sourceRow(status), ...status.sections.map(sectionRow)])));
      if (statuses.some(({ state }) => state === 'failing' || state === 'stale')) process.exitCode = 1;
    } finally {
      await reading.close();
    }
  });
}

const sourceRow = (status: SourceStatus) => ({
  source: status.name,
  state: status.state,
  'last success': status.succeededAt,
  'lag (h)': status.lagHours,
  newest: status.newestListedOn,
  expected: status.expectedListedOn,
  new: null,
  usual: null,
  fault: status.faults[0]?.message,
});

/** A category is indented below its source. `new` and `usual`: papers of the newest list that should be there. */
const sectionRow = ({
  section,
  state,
  succeededAt,
  newestListedOn,
  fresh,
  expected,
  fault,
}: SectionStatus) => ({
  source: `  ${section}`,
  state,
  'last success': succeededAt,
  'lag (h)': null,
  newest: newestListedOn,
  expected: null,
  new: fresh,
  usual: expected,
  fault,
});
