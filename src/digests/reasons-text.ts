import type { ReasonView } from '#src/mail/digest-view.ts';
import type { Reason } from '#src/matching/types.ts';

/** Reasons of one digest: those of each of its papers. */
type Reasons = readonly (readonly Reason[])[];

/** A reason without its weight: readers share it. */
type Said = Omit<Reason, 'weight'>;

/**
 * The reasons of a block of digests as text. Readers follow the same topics, so each reason is spelled out once: a line for each digest says
 * of each of its papers by what (a number) and how much (its weight), `[[0,0.53,4,0.02],[]]`, and the last line what the numbers stand for,
 * `{"said":[…]}`. All lines are JSON. Before, each digest's line spelled its reasons itself: such lines are still read.
 */
export function writeReasons(digests: readonly Reasons[]): string {
  const numbers = new Map<string, number>();
  const said: Said[] = [];
  const numberOf = (reason: Reason) => {
    const key = keyOf(reason);
    let number = numbers.get(key);
    if (number === undefined) {
      numbers.set(key, (number = said.length));
      const { weight: _, ...rest } = reason;
      said.push(rest);
    }
    return number;
  };
  const lines = digests.map((reasons) => {
    const papers = reasons.map((each) =>
      each.map((reason) => `${numberOf(reason)},${rounded(reason.weight)}`).join(','),
    );
    return papers.length === 0 ? '[]' : `[[${papers.join('],[')}]]`;
  });
  return [...lines, JSON.stringify({ said })].join('\n');
}

/** Six decimals tell any two reasons apart; the other ten would be most of the text. */
const rounded = (weight: number): number => (Number.isFinite(weight) ? Math.round(weight * 1e6) / 1e6 : 0);

/** The same for what says the same. */
function keyOf(reason: Reason): string {
  switch (reason.type) {
    case 'follow':
      return `f\0${reason.topic.kind}\0${reason.topic.value}\0${reason.name}\0${reason.terms.join('\0')}`;
    case 'liked':
      return `l\0${reason.paper}\0${reason.title}\0${reason.terms.join('\0')}`;
    case 'reminder':
      return `r\0${reason.on}`;
    case 'trending':
      return `t\0${reason.fill}`;
  }
}

/** Reads lines of a block. */
export type ReadReasons<Read = Reason> = (line: string) => readonly (readonly Read[])[];

/** @param last the last line of the block; it is read when it is first needed, and once */
export function createReasonsReader(last: string): ReadReasons {
  return readerOf(last, (said, weight) => ({ ...said, weight }) as Reason);
}

/** As {@link createReasonsReader}, for who shows reasons and needs no weights: the lines of a block share what they say. */
export function createSaidReader(last: string): ReadReasons<ReasonView> {
  return readerOf(last, (said) => said as ReasonView);
}

function readerOf<Read>(last: string, made: (said: Said, weight: number) => Read): ReadReasons<Read> {
  let said: readonly Said[] | undefined;
  return (line) => {
    const papers = JSON.parse(line || '[]') as readonly (readonly number[] | readonly Read[])[];
    return papers.map((each) => {
      if (typeof each[0] !== 'number') return each as readonly Read[];
      said ??= (JSON.parse(last) as { said: readonly Said[] }).said;
      const reasons: Read[] = [];
      for (let at = 0; at < each.length; at += 2)
        reasons.push(made(said[each[at] as number] as Said, each[at + 1] as number));
      return reasons;
    });
  };
}
