import { resolveTxt } from 'node:dns/promises';

/** Asks the DNS for TXT records: a list of strings for each (RFC 1035 section 3.3.14); rejects as `dns.resolveTxt` does. */
export type ResolveTxt = (name: string) => Promise<readonly (readonly string[])[]>;

/** What the DNS has under the name of a key. `no answer`: it could not be asked. */
export type PublishedKey = 'right' | 'missing' | 'different' | 'no answer';

/** Whether the public half of a DKIM key is published. @param record as `dkimRecord` makes it */
export async function publishedKey(
  record: { readonly name: string; readonly value: string },
  resolve: ResolveTxt = resolveTxt,
): Promise<PublishedKey> {
  const found = await texts(record.name, resolve).catch(() => null);
  if (found === null) return 'no answer';
  if (found.length === 0) return 'missing';
  const bare = (text: string) => text.replace(/\s/g, '');
  return found.some((text) => bare(text) === bare(record.value)) ? 'right' : 'different';
}

/** The SPF records of a domain (RFC 7208 section 4.5: there must be one at most). @throws the resolver's error when there is no answer */
export async function spfRecords(domain: string, resolve: ResolveTxt = resolveTxt): Promise<string[]> {
  return (await texts(domain, resolve)).filter((text) => /^v=spf1( |$)/i.test(text));
}

/**
 * The DMARC records that hold for mail from a domain: its own, else those of the nearest domain above it, as receivers
 * look for the organisation's (RFC 7489 section 6.6.3, which knows that domain from a list; the top level is left out here).
 * @throws the resolver's error when there is no answer
 */
export async function dmarcRecords(domain: string, resolve: ResolveTxt = resolveTxt): Promise<string[]> {
  for (let labels = domain.split('.'); labels.length >= 2; labels = labels.slice(1)) {
    const found = (await texts(`_dmarc.${labels.join('.')}`, resolve)).filter((text) =>
      /^v=DMARC1\s*(;|$)/i.test(text),
    );
    if (found.length > 0) return found;
  }
  return [];
}

/** The records' texts, their strings put together; none where the name or the record does not exist. */
async function texts(name: string, resolve: ResolveTxt): Promise<string[]> {
  try {
    return (await resolve(name)).map((strings) => strings.join(''));
  } catch (error) {
    if (['ENOTFOUND', 'ENODATA'].includes(String((error as NodeJS.ErrnoException).code))) return [];
    throw error;
  }
}
