import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { BounceTag } from '#src/mail/sender.ts';

/** Whom a mail of ours went to. */
export type Mailed = {
  /** The address it went to; null when it is erased, or not the reader's any more. */
  readonly email: string | null;
  /** Of the reader, where there is one: a test mail has none. */
  readonly publicId: string | null;
};

/**
 * Whom the row of a bounce tag was mailed to; null when there is no such row (any more). A digest's row does not keep the address: when the
 * reader has moved to another since, `email` is null, since what is said of the old address says nothing of the new one.
 */
export async function mailedTo(db: Queryable, { kind, id }: BounceTag): Promise<Mailed | null> {
  const query =
    kind === 'notice'
      ? sql<Mailed>`
          select n.email, s.public_id as "publicId"
          from notices n left join subscribers s on s.id = n.subscriber_id
          where n.id = ${id}`
      : sql<Mailed>`
          select case when exists (
                   select 1 from events e
                   where e.subscriber_id = d.subscriber_id and e.kind = 'address-changed'
                     and e.at >= coalesce(d.handed_over_at, d.slot_at)
                 ) then null else s.email end as email,
                 s.public_id as "publicId"
          from digests d left join subscribers s on s.id = d.subscriber_id
          where d.id = ${id}`;
  return (await query.execute(db)).rows[0] ?? null;
}
