/**
 * Text as the database can hold it: PostgreSQL `text` has no NUL character, UTF-8 has no lone surrogates.
 * Nothing else is changed.
 */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

/** A title or name on one line: runs of white space (also no-break and zero-width ones) are one space. */
export function oneLine(text: string): string {
  return storable(text)
    .replace(/[\s\u200B\uFEFF]+/gu, ' ')
    .trim();
}

/** A non-empty text, else undefined. For fields that come and go. */
export function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = storable(value);
  return text.trim() === '' ? undefined : text;
}

/** {@link textOf} on one line. */
export function lineOf(value: unknown): string | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : oneLine(text);
}

/** A count from 0 that fits PostgreSQL's `integer`, else undefined. */
export function countOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  const fits =
    typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 2_147_483_647;
  return fits ? number : undefined;
}

/** An instant out of an ISO 8601 or RFC 2822 text (without a zone: UTC), else undefined. */
export function instantOf(value: unknown): Date | undefined {
  const text = lineOf(value);
  if (text === undefined) return undefined;
  const unzoned = /^\d{4}-\d{2}-\d{2}T[\d:.]+$/.test(text);
  const instant = new Date(unzoned ? `${text}Z` : text);
  const year = instant.getUTCFullYear();
  return Number.isNaN(year) || year < 1900 || year > 2200 ? undefined : instant;
}

/** An `http` or `https` address, else undefined: nothing else from outside may become a link. */
export function webAddressOf(value: unknown): string | undefined {
  const text = lineOf(value);
  if (text === undefined || !URL.canParse(text)) return undefined;
  return /^https?:$/.test(new URL(text).protocol) ? text : undefined;
}

/** Drops undefined fields, so that a record has only what is known. */
export function known<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
