/** Where the services of the sources are asked: addresses without a slash at the end. */
export type SourceAddresses = {
  /** Hugging Face; `/api/daily_papers` is asked there. */
  readonly huggingFace: string;
  /** arXiv's announcement feeds; `/atom/CATEGORY`. */
  readonly arxivFeeds: string;
  /** arXiv's API; `/api/query`. */
  readonly arxivApi: string;
  /** arXiv's OAI-PMH, the whole address. */
  readonly arxivOai: string;
  /** The details API of bioRxiv and medRxiv; `/details/SERVER/…`. */
  readonly biorxiv: string;
};

/** The services themselves. An operator behind a mirror or a proxy names others in the settings. */
export const OWN_ADDRESSES: SourceAddresses = {
  huggingFace: 'https://huggingface.co',
  arxivFeeds: 'https://rss.arxiv.org',
  arxivApi: 'https://export.arxiv.org',
  arxivOai: 'https://oaipmh.arxiv.org/oai',
  biorxiv: 'https://api.biorxiv.org',
};

/** The addresses in force, those that were set without a slash at their end. */
export function addressesWith(set: Partial<SourceAddresses>): SourceAddresses {
  const given = Object.entries(set).map(([name, address]) => [name, address.replace(/\/+$/, '')]);
  return { ...OWN_ADDRESSES, ...Object.fromEntries(given) };
}

/** Hosts that an operator has set, which may therefore be internal ones. */
export function hostsOf(set: Partial<SourceAddresses>): ReadonlySet<string> {
  return new Set(Object.values(set).map((address) => new URL(address).hostname));
}
