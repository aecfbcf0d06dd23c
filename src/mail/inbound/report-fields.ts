/** Groups of header-like fields, as RFC 3464 §2.1.2 and RFC 5965 §3.1 have them; names in lower case, a repeated field keeps all its values. */
export type FieldGroup = ReadonlyMap<string, readonly string[]>;

/** Reads a machine-readable report: groups are parted by empty lines, folded lines are joined. Lines that are no fields are passed over. */
export function fieldGroups(text: string): readonly FieldGroup[] {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/\n[ \t]+(?=\S)/g, ' ')
    .split(/\n\s*\n/)
    .map(readGroup)
    .filter((group) => group.size > 0);
}

function readGroup(text: string): FieldGroup {
  const group = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const match = /^([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)$/.exec(line);
    if (!match) continue;
    const [, name = '', value = ''] = match;
    const key = name.toLowerCase();
    group.set(key, [...(group.get(key) ?? []), value.trim()]);
  }
  return group;
}

/** First value of a field; empty when it is absent. */
export function valueOf(group: FieldGroup, name: string): string {
  return group.get(name)?.[0] ?? '';
}

/** `rfc822; <user@example.org>` as an address; null for what is none. */
export function addressIn(value: string): string | null {
  return /([^\s<>;:,"'|]+@[^\s<>;:,"'|]+)/.exec(value)?.[1] ?? null;
}
