import { html } from 'ghtml';
import type { Signal } from '#src/papers/trend.ts';
import type { Html } from './layout.ts';

const WIDTH = 384;
const HEIGHT = 72;

/** The votes of a paper over time as a small line; nothing while there are fewer than two observations. */
export function votesChart(signals: readonly Signal[]): Html {
  const votes = signals.filter((signal) => signal.kind === 'upvotes');
  const [first, last] = [votes[0], votes.at(-1)];
  if (!first || !last || votes.length < 2 || last.observedAt <= first.observedAt) return '';
  const span = last.observedAt.getTime() - first.observedAt.getTime();
  const most = Math.max(...votes.map((vote) => vote.value), 1);
  const points = votes.map((vote) => {
    const x = ((vote.observedAt.getTime() - first.observedAt.getTime()) / span) * (WIDTH - 8) + 4;
    return `${x.toFixed(1)},${(HEIGHT - 6 - (vote.value / most) * (HEIGHT - 12)).toFixed(1)}`;
  });
  const day = (at: Date) => at.toISOString().slice(0, 10);
  const label = `Votes: ${first.value} on ${day(first.observedAt)}, ${last.value} on ${day(last.observedAt)}`;
  return html`<figure><svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}"><polyline points="${points.join(' ')}" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/></svg>
<figcaption class="soft">${label}</figcaption></figure>`;
}
