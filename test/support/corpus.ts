import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { PaperId } from '#src/database/ids.ts';
import { identifiersOf } from '#src/papers/identity.ts';
import type { ListingRecord, Paper } from '#src/papers/paper.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { sharedData } from './shared-data.ts';

const SOURCES = [
  ['seed-pages', 'page'],
  ['wire/hf-daily-papers', 'huggingface'],
  ['wire/arxiv-listings', 'arxiv'],
] as const;

/** Every paper of the real data, the first appearance of each, in the form the mails get it. */
export async function* corpusPapers(): AsyncIterable<Paper> {
  const seen = new Set<string>();
  for (const [folder, name] of SOURCES) {
    const source = createSources().get(name);
    if (!source) throw new Error(name);
    const path = join(sharedData, folder);
    const files = readdirSync(path)
      .filter((name) => !name.endsWith('.md'))
      .map((name) => join(path, name));
    for await (const item of source.read({ now: new Date('2026-07-01T00:00:00Z'), files })) {
      if (item.type === 'fault') throw new Error(`${item.fault.where}: ${item.fault.message}`);
      if (item.type !== 'listing') continue;
      const key = identifiersOf(item.listing.source, item.listing.paper)[0] ?? '';
      if (seen.has(key)) continue;
      seen.add(key);
      yield asPaper(item.listing, seen.size);
    }
  }
}

type Judged = {
  readonly title: string;
  readonly abstract: string;
  readonly authors?: string | readonly string[];
  readonly categories?: string | readonly string[];
};

const listOf = (value: string | readonly string[], separator: string) =>
  typeof value === 'string' ? value.split(separator).filter((part) => part !== '') : value;

/** The papers of the relevance judgments that have a title and an abstract: many fields, and classic collections in capitals and without accents. */
export async function* relevancePapers(): AsyncIterable<Paper> {
  const folder = join(sharedData, 'relevance');
  const files = [
    'arxiv_2025-03_2025-09.jsonl.gz',
    'csfcube_docs.jsonl',
    'cisi_docs.jsonl',
    'cranfield_docs.jsonl',
  ];
  let id = 1_000_000;
  for (const file of files) {
    const octets = readFileSync(join(folder, file));
    const text = (file.endsWith('.gz') ? gunzipSync(octets) : octets).toString('utf8');
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const { title, abstract, authors = [], categories = [] } = JSON.parse(line) as Judged;
      id += 1;
      yield asPaper(
        {
          paper: {
            sourceId: String(id),
            title,
            abstract,
            authors: listOf(authors, '; '),
            categories: listOf(categories, ' '),
          },
        },
        id,
      );
    }
  }
}

function asPaper({ paper, signals }: Pick<ListingRecord, 'paper' | 'signals'>, id: number): Paper {
  return {
    id: id as PaperId,
    identity: `test:${id}`,
    arxivId: paper.arxivId ?? null,
    doi: paper.doi ?? null,
    title: paper.title,
    abstract: paper.abstract,
    authors: paper.authors ?? [],
    categories: paper.categories ?? [],
    organisation: paper.organisation ?? null,
    keywords: paper.keywords ?? [],
    publishedAt: paper.publishedAt ?? null,
    url: paper.url ?? null,
    pdfUrl: paper.pdfUrl ?? null,
    codeUrl: paper.codeUrl ?? null,
    projectUrl: paper.projectUrl ?? null,
    thumbnailUrl: paper.thumbnailUrl ?? null,
    firstListedOn: null,
    withdrawnAt: null,
    upvotes: signals?.upvotes ?? null,
    comments: signals?.comments ?? null,
    license: null,
    githubStars: signals?.github_stars ?? null,
  };
}
