/**
 * IANA time zones as this Node's ICU knows them: canonical names (`Europe/Berlin`) and links (`Asia/Kolkata`).
 * Fixed offsets (`+01:00`) are no zones: they know no daylight saving.
 */
const canonical = new Map(Intl.supportedValuesOf('timeZone').map((zone) => [zone.toLowerCase(), zone]));
canonical.set('utc', 'UTC');

const known = new Map<string, string | null>();
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/;

function lookUp(name: string): string | null {
  if (name.length > 64 || !NAME.test(name)) return null;
  const found = canonical.get(name.toLowerCase());
  if (found) return found;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name;
  } catch {
    return null;
  }
}

/** The zone in its usual spelling (`europe/berlin` → `Europe/Berlin`), or null when it is no IANA zone. */
export function parseZone(name: string): string | null {
  let zone = known.get(name);
  if (zone === undefined) {
    zone = lookUp(name);
    // Bounded: names come from outside.
    if (known.size < 4096) known.set(name, zone);
  }
  return zone;
}

/** Every canonical zone, sorted, for the form's list. */
export const ZONES: readonly string[] = [...new Set(canonical.values())].sort();
