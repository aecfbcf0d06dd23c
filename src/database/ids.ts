/**
 * Branded row ids. PostgreSQL `bigint` keys are read as JavaScript numbers (safe up to 2^53), see database.ts.
 * Ids are minted only at the boundary: by a store reading rows, or by a parser of a signed link.
 */
declare const brand: unique symbol;
type Id<Name extends string> = number & { readonly [brand]: Name };

/** Key of `papers`. */
export type PaperId = Id<'paper'>;
/** Key of `subscribers`. */
export type SubscriberId = Id<'subscriber'>;
/** Key of `topics`. */
export type TopicId = Id<'topic'>;
/** Key of `digests` (the ledger); unique over all partitions. */
export type DigestId = Id<'digest'>;
/** Key of `notices` (transactional mails). */
export type NoticeId = Id<'notice'>;

/** A calendar date without a zone, `YYYY-MM-DD`. PostgreSQL `date` columns are read and written in this form. */
export type IsoDate = string & { readonly [dateBrand]: true };
declare const dateBrand: unique symbol;

/**
 * Parses `YYYY-MM-DD` into an {@link IsoDate}. Years 1000 to 8999 only: a date some days or months from one of
 * these still has four digits and a year that PostgreSQL knows (it has no year 0, and JavaScript writes year 10000
 * with a sign).
 * @throws RangeError when the text is not a real calendar date of these years.
 */
export function isoDate(text: string): IsoDate {
  const time = Date.parse(`${text}T00:00:00Z`);
  if (
    !/^[1-8]\d{3}-\d{2}-\d{2}$/.test(text) ||
    Number.isNaN(time) ||
    new Date(time).toISOString().slice(0, 10) !== text
  )
    throw new RangeError(`not a calendar date (YYYY-MM-DD): ${text}`);
  return text as IsoDate;
}

/** The UTC calendar date of an instant. */
export function utcDate(at: Date): IsoDate {
  return at.toISOString().slice(0, 10) as IsoDate;
}

/** The date `days` later (negative: earlier), in the proleptic Gregorian calendar. */
export function addDays(date: IsoDate, days: number): IsoDate {
  return utcDate(new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000));
}
