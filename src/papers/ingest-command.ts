import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { IsoDate } from '#src/database/ids.ts';
import { type IngestOptions, type IngestReport, type IngestStore, ingest } from './ingest.ts';
import type { SourceRequest } from './source.ts';
import { dateInName } from './sources/json-lines.ts';
import type { Sources } from './sources/sources.ts';

/** `ingest SOURCE [FILE…]` as asked for. */
export type IngestCommand = {
  readonly source: string;
  /** Recorded files, or folders of them (read in the order of their names); for ids also these themselves. Empty: the network. */
  readonly files: readonly string[];
  readonly from?: IsoDate;
  readonly to?: IsoDate;
  /** The day to list papers on where the input names none. */
  readonly listedOn?: IsoDate;
} & Pick<SourceRequest, 'week' | 'month' | 'query' | 'limit'>;

/** What came of it. */
export type IngestOutcome =
  | { readonly type: 'ingested'; readonly report: IngestReport }
  /** `known`: the names there are. */
  | { readonly type: 'unknown-source'; readonly known: readonly string[] }
  | { readonly type: 'no-such-file'; readonly file: string };

/**
 * Reads a source by name, from files or the network, into the store; with `store: null` (a dry run) nothing is stored.
 * Folders are read for the files whose names hold a day within `from` and `to`, or hold none.
 */
export async function ingestCommand(
  deps: {
    readonly sources: Sources;
    readonly store: IngestStore | null;
    readonly now: () => Date;
  },
  command: IngestCommand,
  options: IngestOptions = {},
): Promise<IngestOutcome> {
  const source = deps.sources.get(command.source);
  if (!source) return { type: 'unknown-source', known: [...deps.sources.keys()] };
  const { source: name, files: given, ...request } = command;
  const ids = IDS.has(name) ? await otherThanFiles(given) : [];
  const named = given.filter((each) => !ids.includes(each));
  const files = await expanded(named, request);
  if ('missing' in files) return { type: 'no-such-file', file: files.missing };
  const items = source.read({
    ...request,
    now: deps.now(),
    ...(named.length > 0 ? { files: files.found } : {}),
    ...(ids.length > 0 ? { ids } : {}),
  });
  return { type: 'ingested', report: await ingest({ items, store: deps.store }, options) };
}

/** Sources that take what a curator pastes as well as files of it. */
const IDS: ReadonlySet<string> = new Set(['ids', 'arxiv-ids']);

async function otherThanFiles(names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map((name) => stat(name).catch(() => undefined)));
  return names.filter((_, index) => !found[index]);
}

type Days = { readonly from?: IsoDate; readonly to?: IsoDate };

async function expanded(
  names: readonly string[],
  days: Days,
): Promise<{ found: string[] } | { missing: string }> {
  const found: string[] = [];
  for (const name of names) {
    const entry = await stat(name).catch(() => undefined);
    if (!entry) return { missing: name };
    if (entry.isDirectory()) found.push(...(await recordedFiles(name, days)));
    else found.push(name);
  }
  return { found };
}

/**
 * The files of a folder, in the order of their names, without those of days outside `from` … `to`, and without notes
 * (`*.md`) and schemas (`*.xsd`), which often lie beside recordings.
 */
export async function recordedFiles(folder: string, { from, to }: Days = {}): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/^\.|\.(?:md|xsd)$/.test(entry.name))
    .map(({ name }) => ({ name, day: dateInName(name) }))
    .filter(
      ({ day }) =>
        day === undefined || ((from === undefined || day >= from) && (to === undefined || day <= to)),
    )
    .map(({ name }) => join(folder, name))
    .sort();
}
