import type { Command } from 'commander';
import type { PaperId } from '#src/database/ids.ts';
import { profilesOf } from '#src/digests/profiles.ts';
import type { Verdict } from '#src/mail/links.ts';
import type { Explanation, Reason } from '#src/matching/types.ts';
import type { Feedback } from '#src/subscribers/feedback-store.ts';
import { addressKey } from '#src/subscribers/lifecycle.ts';
import { localDate } from '#src/subscribers/schedule.ts';
import { findSubscriber } from '#src/subscribers/subscriber-store.ts';
import { topicName } from '#src/topics/catalogue.ts';
import { parsePaperReference } from '#src/topics/paper-reference.ts';
import { CommandError, type Io } from './io.ts';
import { type CommandContext, withServices } from './with-services.ts';

type Options = { email: string; paper: string; json?: boolean };

/** `paperboy why`: says why a reader gets a paper today, or doesn't. */
export function registerWhy(program: Command, io: Io): void {
  program
    .command('why')
    .description("Say why a reader gets a paper in today's digest, or does not")
    .requiredOption('--email <address>')
    .requiredOption('--paper <id>', 'an arXiv identifier, a link, a DOI')
    .option('--json')
    .action((options: Options) => withServices((context) => why(io, context, options)));
}

async function why(io: Io, context: CommandContext, options: Options): Promise<void> {
  const { backing, papers, topics, ledger, now } = context;
  const reference = parsePaperReference(options.paper);
  if (reference.type === 'invalid') throw new CommandError(reference.message);
  const paper = await papers.paperByIdentifier(reference.identity);
  if (!paper) throw new CommandError(`No paper is known as ${reference.identity}.`);
  const reader = await findSubscriber(backing.database, { emailKey: addressKey(options.email) });
  if (!reader) throw new CommandError(`Nobody is subscribed as ${options.email}.`);

  const judged = verdictOn(await context.subscribers.feedbackOf(reader.id), paper.id);
  const edition = await context.editionIndex(localDate(reader.timezone, now()), now());
  const profile = (await profilesOf(topics, backing.database, [reader])).get(reader.id);
  if (!profile) throw new Error(`no profile of subscriber ${reader.id}`);
  const seen = await ledger.seenPapers(backing.database, [reader.id], edition.since);
  const explanation: Answer = judged
    ? { type: 'judged', verdict: judged, reminders: reader.reminders }
    : edition.index.explain(profile, seen.get(reader.id) ?? new Set(), paper.id);
  if (options.json) io.out(JSON.stringify({ paper: paper.identity, title: paper.title, ...explanation }));
  else for (const line of [paper.title, ...inWords(explanation)]) io.out(line);
}

/** What a paper's fate was; `judged`: the reader said more, less or not now of it, so that it isn't chosen again. */
type Answer =
  | Explanation
  | { readonly type: 'judged'; readonly verdict: Verdict; readonly reminders: boolean };

const VERDICT_WORDS = { more: 'more like this', less: 'less like this', not_now: 'not now' } as const;

function verdictOn({ likes, dislikes, notNow }: Feedback, paper: PaperId): Verdict | undefined {
  if (likes.includes(paper)) return 'more';
  if (dislikes.includes(paper)) return 'less';
  return notNow.includes(paper) ? 'not_now' : undefined;
}

function inWords(explanation: Answer): string[] {
  switch (explanation.type) {
    case 'judged': {
      const again = explanation.verdict === 'not_now' && explanation.reminders;
      const end = again ? 'and is reminded of it once.' : 'so that it does not come again.';
      return [`The reader said “${VERDICT_WORDS[explanation.verdict]}” of it, ${end}`];
    }
    case 'no-candidate':
      return ["It is not among the papers of today's edition."];
    case 'sent-before':
      return ['It was in a digest of this reader before.'];
    case 'muted':
      return [`Muted: ${explanation.by.map(topicName).join(', ')}.`];
    case 'no-match':
      return ['It matches nothing that the reader follows or liked.'];
    case 'chosen':
      return [`Chosen, at place ${explanation.place}.`, ...scoreInWords(explanation.choice)];
    case 'outranked':
      return [
        `Not chosen: by score it is number ${explanation.place} of the ${explanation.of} papers that match.`,
        ...scoreInWords(explanation.choice),
      ];
  }
}

const scoreInWords = ({ score, reasons }: { score: number; reasons: readonly Reason[] }): string[] => [
  `score ${score.toFixed(3)}, the sum of:`,
  ...reasons.map((reason) => `  ${reason.weight.toFixed(3).padStart(7)}  ${reasonInWords(reason)}`),
];

function reasonInWords(reason: Reason): string {
  const terms = 'terms' in reason && reason.terms.length > 0 ? `: ${reason.terms.join(', ')}` : '';
  switch (reason.type) {
    case 'follow':
      return `follows ${reason.name}${terms}`;
    case 'liked':
      return `likes papers such as “${reason.title}”${terms}`;
    case 'reminder':
      return `put aside on ${reason.on}, comes again once`;
    case 'trending':
      return reason.fill ? 'trending, fills up' : 'trending';
  }
}
