import { resolve4, resolve6, resolveMx } from 'node:dns/promises';

/** Whether a domain takes mail; true where that can't be found out. */
export type TakesMail = (domain: string) => Promise<boolean>;

/** Domains remembered: those of a day's subscribers. */
const KEPT = 10_000;
const PATIENCE_MS = 3000;

/** What the DNS is asked; tests give their own. */
export type DomainResolver = {
  readonly mx: (domain: string) => Promise<readonly { readonly exchange: string }[]>;
  /** A or AAAA records. */
  readonly addresses: (domain: string) => Promise<readonly string[]>;
};

const DNS: DomainResolver = {
  mx: resolveMx,
  addresses: async (domain) => Promise.any([resolve4(domain), resolve6(domain)]),
};

/**
 * Asks the DNS whether a domain takes mail (RFC 5321 section 5.1: MX, else an address record; RFC 7505: a null MX
 * takes none). An answer that is late or fails for another reason counts as yes: nobody is kept out by a broken resolver.
 */
export function createTakesMail(resolver: DomainResolver = DNS): TakesMail {
  const known = new Map<string, Promise<boolean>>();
  return (domain) => {
    let answer = known.get(domain);
    if (!answer) {
      if (known.size >= KEPT) known.clear();
      known.set(
        domain,
        (answer = Promise.race([askForMail(domain, resolver).then((found) => found !== 'none'), later()])),
      );
    }
    return answer;
  };
}

const later = (): Promise<boolean> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(true), PATIENCE_MS).unref();
  });

/** What the DNS says: by its MX, by its address alone, not at all; `unknown` when it could not be asked. */
export type MailRecords = 'mx' | 'address' | 'none' | 'unknown';

/** Asks the DNS, as {@link createTakesMail} does, without a limit of time. */
export async function askForMail(domain: string, resolver: DomainResolver = DNS): Promise<MailRecords> {
  try {
    const records = await resolver.mx(domain);
    return records.some((record) => record.exchange !== '' && record.exchange !== '.') ? 'mx' : 'none';
  } catch (error) {
    if (!isAbsent(error)) return 'unknown';
  }
  try {
    return (await resolver.addresses(domain)).length > 0 ? 'address' : 'none';
  } catch (error) {
    const faults = error instanceof AggregateError ? error.errors : [error];
    return faults.every(isAbsent) ? 'none' : 'unknown';
  }
}

/** The domain, or the record asked for, does not exist; as opposed to "could not be asked". */
const isAbsent = (error: unknown): boolean =>
  ['ENOTFOUND', 'ENODATA'].includes(String((error as NodeJS.ErrnoException).code));
