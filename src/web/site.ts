/** What every page knows of the installation. */
export type Site = {
  /** `https://papers.example.org`, without a path. */
  readonly origin: string;
  /** Path under which the pages live, without a slash at its end: '' or `/papers`. */
  readonly base: string;
  /** Who runs this, as pages say it. */
  readonly operatorName: string;
  readonly postalAddress: string | null;
  /** The sentence beside the subscribe button. */
  readonly consentText: string;
  /** Path of an asset with the hash of its content in the name, so that it may be kept for ever. */
  asset(name: string): string;
};

/** Makes the part of {@link Site} that the base URL decides. */
export function siteUrls(baseUrl: string): Pick<Site, 'origin' | 'base'> {
  const url = new URL(baseUrl);
  return { origin: url.origin, base: url.pathname.replace(/\/+$/, '') };
}
