import type { PaperId } from '#src/database/ids.ts';
import { topicKey } from '#src/topics/parse-topic.ts';
import type { TopicRef } from '#src/topics/topic.ts';
import type { Candidates } from './candidates.ts';
import { choosePapers } from './choose.ts';
import { MUTE_FLOOR, scoreCandidates } from './score.ts';
import { type Choice, type Explanation, isNamed, type Profile } from './types.ts';

/** Says what became of one paper for one reader, for operators who are asked. */
export function explainPaper(
  candidates: Candidates,
  profile: Profile,
  exclude: ReadonlySet<PaperId>,
  paper: PaperId,
): Explanation {
  const position = candidates.papers.findIndex(({ id }) => id === paper);
  if (position < 0) return { type: 'no-candidate' };
  if (exclude.has(paper)) return { type: 'sent-before' };
  const mutes = mutesOf(candidates, profile, position);
  if (mutes.length > 0) return { type: 'muted', by: mutes };
  const chosen = choosePapers(candidates, profile, exclude);
  const place = chosen.findIndex((choice) => choice.paper === paper);
  if (place >= 0) return { type: 'chosen', place: place + 1, choice: chosen[place] as Choice };
  const scored = scoreCandidates(candidates, profile, exclude);
  if (!scored.eligible.includes(position)) return { type: 'no-match' };
  const better = scored.eligible.filter((other) => scored.score(other) > scored.score(position)).length;
  return {
    type: 'outranked',
    place: better + 1,
    of: scored.eligible.length,
    choice: scored.choices([position])[0] as Choice,
  };
}

function mutesOf(candidates: Candidates, { mutes }: Profile, position: number): TopicRef[] {
  const paper = candidates.papers[position];
  const found = mutes.filter((mute) => {
    if (mute.kind === 'paper' && paper && isNamed(paper, mute.value)) return true;
    const { papers, scores } = candidates.topic(mute);
    const rank = papers.indexOf(position);
    const soft = mute.kind === 'paper' || mute.kind === 'query';
    return rank >= 0 && (!soft || (scores[rank] as number) >= MUTE_FLOOR);
  });
  return [...new Map(found.map(({ kind, value }) => [topicKey({ kind, value }), { kind, value }])).values()];
}
