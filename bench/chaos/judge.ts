import { sql } from 'kysely';
import type { Stage } from './stage.ts';

/** What the sink and the ledger say together. */
export type Verdict = {
  readonly readers: number;
  /** Messages the sink took. */
  readonly taken: number;
  /** Readers without a message although the ledger gives no reason. */
  readonly lost: number;
  /** Message-IDs taken more than once without the ledger saying that they were sent again on purpose. */
  readonly silentlyRepeated: number;
  /** Readers with two messages of different Message-IDs. */
  readonly doubled: number;
  /** Rows that are `unknown`, or were and have been sent again. */
  readonly ambiguous: number;
  /** Messages taken for readers who must not be mailed. */
  readonly forbidden: number;
  readonly states: Readonly<Record<string, number>>;
};

/** Compares what was taken with what the ledger tells. `forbidden` holds addresses that must have got nothing. */
export async function judge(stage: Stage, forbidden: ReadonlySet<string> = new Set()): Promise<Verdict> {
  const { rows } = await sql<{ email: string; state: string; resent: boolean }>`
    select s.email, d.state, d.resent from digests d join subscribers s on s.id = d.subscriber_id`.execute(
    stage.database(),
  );
  const byReader = Map.groupBy(stage.sink.messages, (message) => message.to);
  const states: Record<string, number> = {};
  const count = { lost: 0, silentlyRepeated: 0, doubled: 0, ambiguous: 0, forbidden: 0 };
  for (const row of rows) {
    states[row.state] = (states[row.state] ?? 0) + 1;
    const messages = byReader.get(row.email) ?? [];
    const ids = new Set(messages.map((message) => message.messageId));
    if (messages.length === 0 && !['failed', 'skipped', 'unknown'].includes(row.state)) count.lost += 1;
    if (messages.length > ids.size && !row.resent) count.silentlyRepeated += 1;
    if (ids.size > 1) count.doubled += 1;
    if (row.state === 'unknown' || row.resent) count.ambiguous += 1;
    if (forbidden.has(row.email) && messages.length > 0) count.forbidden += 1;
  }
  return { readers: rows.length, taken: stage.sink.messages.length, ...count, states };
}
