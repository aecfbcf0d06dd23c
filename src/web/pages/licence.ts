import { webAddressOf } from '#src/papers/text.ts';

/** A licence as a page shows it. */
export type Licence = { readonly name: string; readonly url: string | null };

/** Words of bioRxiv and medRxiv that no rule below gives a name to. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['cc_no', 'all rights reserved, no reuse without permission'],
  ['cc0', 'CC0'],
  ['cc0_ng', 'CC0, work of the US government'],
]);

/**
 * What a licence is called, out of what sources say: addresses of Creative Commons and arXiv, words such as `cc_by_nc_nd`.
 * What is not known here is shown as it is; only web addresses become links.
 */
export function licenceOf(license: string): Licence {
  const url = webAddressOf(license) ?? null;
  return { name: nameOf(license, url === null ? null : new URL(url)), url };
}

function nameOf(license: string, url: URL | null): string {
  if (!url)
    return (
      WORDS.get(license) ?? (/^cc(_(by|nc|nd|sa))+$/.test(license) ? commons(license.slice(3)) : license)
    );
  const host = url.hostname.replace(/^www\./, '');
  const [, kind, which, version] = url.pathname.split('/');
  if (host === 'creativecommons.org') {
    if (kind === 'publicdomain') return which === 'zero' ? 'CC0' : 'public domain';
    // Of 2009 and before.
    if (which === 'publicdomain') return 'public domain';
    if (kind === 'licenses' && which) return [commons(which), version].filter(Boolean).join(' ');
  }
  if (host === 'arxiv.org' && which === 'nonexclusive-distrib')
    return 'arXiv.org, non-exclusive licence to distribute';
  return license;
}

/** `by_nc` and `by-nc`: CC BY-NC. */
const commons = (terms: string): string => `CC ${terms.toUpperCase().replaceAll('_', '-')}`;
