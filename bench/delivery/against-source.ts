import {
  type Bench,
  type EndToEnd,
  endToEnd,
  type Figures,
  median,
  perSecond,
  yardstick,
} from './run-service.ts';
import {
  type BenchServer,
  type Measured,
  type PostfixTools,
  runSmtpSource,
  startPostfixSink,
} from './tools.ts';

type Turn = { readonly ours: EndToEnd; readonly nodemailer: Measured };
type Round = { readonly source: number; readonly running: Turn | null; readonly cold: Turn };

/**
 * Into postfix' sink, against postfix' source and nodemailer's pool, turn by turn. Names that end in `Cold` are of processes that have just
 * started, ours and nodemailer's; the others are of processes that run.
 */
export async function benchSink(
  bench: Bench,
  tools: PostfixTools,
  readers: number,
  figures: Figures,
  ratios: Figures,
): Promise<void> {
  const sink = await startPostfixSink(tools);
  const rounds: Round[] = [];
  try {
    for (let i = 0; i < bench.rounds; i++) {
      const round = await playRound(bench, tools, sink, readers);
      rounds.push(round);
      bench.say(`round ${i + 1}: smtp-source ${round.source.toFixed(0)}/s`);
      if (round.running) bench.say(`  running: ${told(round.running)}`);
      bench.say(`  just started: ${told(round.cold)}`);
    }
  } finally {
    await sink.stop();
  }
  figures.smtpSourcePerSecond = median(rounds.map(({ source }) => source));
  report(
    '',
    rounds.map(({ source, running }) => (running ? [{ source, ...running }] : [])).flat(),
    figures,
    ratios,
  );
  report(
    'Cold',
    rounds.map(({ source, cold }) => ({ source, ...cold })),
    figures,
    ratios,
  );
}

async function playRound(
  bench: Bench,
  tools: PostfixTools,
  sink: BenchServer,
  readers: number,
): Promise<Round> {
  const turn = async (warm: number): Promise<Turn> => {
    const how = { ...bench, warm };
    const ours = await endToEnd(how, sink, readers);
    return {
      ours,
      nodemailer: await yardstick('nodemailer-pool.ts', how, sink.port, readers, Number(ours.octets)),
    };
  };
  const running = bench.warm > 0 ? await turn(bench.warm) : null;
  const size = Number(running?.ours.octets ?? 45_000);
  const { connections } = bench;
  const source = readers / runSmtpSource(tools, sink.port, { messages: readers, size, connections });
  return { source, running, cold: await turn(0) };
}

const told = ({ ours, nodemailer }: Turn) =>
  `ours ${perSecond(ours).toFixed(0)}/s (${ours.cpuUs.toFixed(0)} µs, PostgreSQL ${ours.databaseCpuUs.toFixed(0)} µs, ` +
  `sink ${ours.sinkCpuUs.toFixed(0)} µs, ${ours.rssMb} MB, ${Number(ours.octets)} octets), ` +
  `nodemailer ${perSecond(nodemailer).toFixed(0)}/s (${nodemailer.cpuUs.toFixed(0)} µs)`;

/** @param kind put behind every name */
function report(
  kind: '' | 'Cold',
  turns: readonly (Turn & { readonly source: number })[],
  figures: Figures,
  ratios: Figures,
): void {
  if (turns.length === 0) return;
  const middle = (value: (turn: Turn & { readonly source: number }) => number) => median(turns.map(value));
  figures.octetsPerDigest = Number(turns[0]?.ours.octets);
  figures[`digestsPerSecond${kind}`] = middle(({ ours }) => perSecond(ours));
  figures[`nodemailerRawPerSecond${kind}`] = middle(({ nodemailer }) => perSecond(nodemailer));
  figures[`cpuUsPerDigest${kind}`] = middle(({ ours }) => ours.cpuUs);
  figures[`databaseCpuUsPerDigest${kind}`] = middle(({ ours }) => ours.databaseCpuUs);
  figures[`sinkCpuUsPerDigest${kind}`] = middle(({ ours }) => ours.sinkCpuUs);
  figures[`nodemailerCpuUs${kind}`] = middle(({ nodemailer }) => nodemailer.cpuUs);
  figures.rssMb = Math.max(figures.rssMb ?? 0, ...turns.map(({ ours }) => ours.rssMb));
  // Ratios within a round: the machine is not the same from one to the next.
  ratios[`toSmtpSource${kind}`] = middle(({ ours, source }) => perSecond(ours) / source);
  ratios[`toNodemailerRaw${kind}`] = middle(
    ({ ours, nodemailer }) => perSecond(ours) / perSecond(nodemailer),
  );
  ratios[`cpuToNodemailerRaw${kind}`] = middle(({ ours, nodemailer }) => ours.cpuUs / nodemailer.cpuUs);
}
