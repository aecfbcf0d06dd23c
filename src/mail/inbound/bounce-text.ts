/** Where the returned message begins in reports that are no MIME. */
const ORIGINAL = [
  /^[\s>]*[-=_*]{2,}.*\b(?:original|copy of (?:the|your) message|unsent message|returned message|message (?:header|body)|header of the)\b.*$/im,
  /^(?:original message|message headers?|bounced e-?mail)(?: (?:follows?|is as follows))?\s*[.:]\s*$/im,
  /^original mail as follows:?\s*$/im,
  /^included is a copy\b.*$/im,
  /^(?:return-path:|received: ?(?:from|by)) .*$/im,
];

/** The report without the message it returns. */
export function withoutOriginal(text: string): string {
  const starts = ORIGINAL.map((pattern) => pattern.exec(text)?.index ?? text.length);
  return text.slice(0, Math.min(...starts));
}

/** What a report in words says of one recipient, on one line. */
export type RecipientText = { readonly recipient: string; readonly text: string };

const ADDRESS = String.raw`[^\s<>()\[\]:;,"'|*]+@[^\s<>()\[\]:;,"'|*]+[^\s<>()\[\]:;,"'|*.]`;
/** A line that begins with an address, or names one behind a label. */
const RECIPIENT = new RegExp(
  String.raw`^[\s*"'<-]*(${ADDRESS})[>"']*[\s:,]*(.*)$|^\s*(?:final-recipient|(?:target )?(?:mail )?(?:recipient|address)(?: address)?)\s*:\s*(?:rfc822;)?\s*<?(${ADDRESS})>?(.*)$|(?:address: ?<|attempts: |recipients returned [a-z]+ errors: |error delivering your mail to <)(${ADDRESS})[>.]*(.*)$`,
  'i',
);

/** What stands above an address that is the sender's. */
const OTHERS = /(?:sent by|sender|from)\s*:?\s*$/i;

/** Takes a report in words apart by recipient, each with the lines from its own to the next one's. */
export function recipientTexts(report: string): readonly RecipientText[] {
  const found: { recipient: string; lines: string[] }[] = [];
  let before = '';
  for (const line of report.split(/\r?\n/)) {
    const match = OTHERS.test(before) ? null : RECIPIENT.exec(line);
    if (line.trim() !== '') before = line;
    const recipient = match?.[1] ?? match?.[3] ?? match?.[5];
    const current = found.at(-1);
    if (recipient === undefined || recipient === current?.recipient) current?.lines.push(line);
    else found.push({ recipient, lines: [match?.[2] ?? match?.[4] ?? match?.[6] ?? ''] });
  }
  const merged = new Map<string, string[]>();
  for (const { recipient, lines } of found)
    merged.set(recipient, [...(merged.get(recipient) ?? []), ...lines]);
  return [...merged].map(([recipient, lines]) => ({ recipient, text: oneLine(lines.join(' ')) }));
}

/** White space to single spaces. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Reply codes that servers give (RFC 5321 §4.2.3, RFC 4954, RFC 7504), so that ports, sizes and years are none. */
const REPLY_CODE = /(?<![\d.#=[(/-])(421|45[0-5]|50[0-4]|52[1-5]|53[0-8]|55[0-9])(?=[ \-:;,.]|$)/;
const STATUS = /(?<![\d.])([245]\.[0-7]\.\d{1,3})(?![\d.]*\d)/;

/** The SMTP reply code in a text; null for none. */
export function replyCodeIn(text: string): number | null {
  const code = REPLY_CODE.exec(text)?.[1];
  return code === undefined ? null : Number(code);
}

/** The enhanced status code (RFC 3463) in a text; null for none. */
export function statusIn(text: string): string | null {
  return STATUS.exec(text)?.[1] ?? null;
}
