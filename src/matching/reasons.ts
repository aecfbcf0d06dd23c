import { type Candidates } from './candidates.ts';
import { type Reader, trendOf } from './reader.ts';
import { remaining, strongest } from './taste.ts';
import type { Reason } from './types.ts';

/** The summands of the scores at some positions, in their order, greatest first. */
export function reasonsOf(candidates: Candidates, reader: Reader, positions: readonly number[]): Reason[][] {
  const reasons = positions.map((): Reason[] => []);
  const { place } = candidates.desk;
  place.fill(0);
  positions.forEach((at, before) => {
    place[at] = before + 1;
  });
  for (const { topic, weight, read } of reader.ties) {
    const { papers, scores } = topic;
    for (let rank = 0; rank < read; rank += 1) {
      const at = papers[rank] as number;
      if (place[at] === 0) continue;
      const keep = (1 - reader.dial) * remaining(reader.dislikes, at);
      add(reasons[(place[at] as number) - 1] as Reason[], {
        type: 'follow',
        topic: topic.topic,
        name: topic.name,
        terms: topic.terms(at),
        weight: keep * weight * (scores[rank] as number),
      });
    }
  }
  reasons.forEach((own, before) => otherReasons(candidates, reader, positions[before] as number, own));
  return reasons;
}

/** Adds a reason behind those that weigh as much or more: there are few. */
function add(reasons: Reason[], reason: Reason): void {
  let place = reasons.length;
  for (; place > 0 && (reasons[place - 1] as Reason).weight < reason.weight; place -= 1)
    reasons[place] = reasons[place - 1] as Reason;
  reasons[place] = reason;
}

/** Adds the summands that no followed topic brings. */
function otherReasons(candidates: Candidates, reader: Reader, at: number, reasons: Reason[]): void {
  const { dial, likes, dislikes, trendWeight } = reader;
  const factor = remaining(dislikes, at);
  const taste = (1 - dial) * factor;
  const liked = likes ? taste * likes.share * (likes.scores[at] as number) : 0;
  if (likes && liked !== 0) {
    const { paper } = strongest(likes, at);
    const example = candidates.example(paper);
    const [title, terms] = [example?.title ?? '', example?.terms(at) ?? []];
    add(reasons, { type: 'liked', paper, title, terms, weight: liked });
  }
  const trend = trendOf(candidates, at) * (factor * dial + taste * trendWeight);
  if (trend !== 0) add(reasons, { type: 'trending', weight: trend, fill: false });
}
