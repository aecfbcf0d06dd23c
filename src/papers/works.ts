import type { PaperId } from '#src/database/ids.ts';
import { identifiersOf } from './identity.ts';
import type { ListingRecord } from './paper.ts';
import { emptyRow, mergedRows, type PaperRow, withSighting } from './paper-row.ts';

/** One work while a batch is resolved: its row, every name it goes by, and the rows that turned out to be the same. */
export type Work = {
  /** Null while the work has no row yet. */
  id: PaperId | null;
  row: PaperRow;
  readonly identifiers: Set<string>;
  /** Rows that this one replaces. */
  readonly absorbed: PaperId[];
  /** True when the row must be written. */
  changed: boolean;
  /** Set when this turned out to be the same as another work, which now has everything of it. */
  replacedBy: Work | null;
};

/** A stored work, as loaded by any of its names. */
export type StoredWork = {
  readonly id: PaperId;
  readonly row: PaperRow;
  readonly identifiers: readonly string[];
};

/**
 * Decides which work each record belongs to, over the stored works that share a name with the batch. A record joins
 * the work that has one of its names; when its names lead to several works, they are one and the oldest row stays.
 * Two different arXiv ids are never one work: a DOI that both claim stays with the first.
 */
export function resolveWorks(stored: readonly StoredWork[]) {
  const byName = new Map<string, Work>();
  for (const { id, row, identifiers } of stored) {
    const work = {
      id,
      row,
      identifiers: new Set(identifiers),
      absorbed: [],
      changed: false,
      replacedBy: null,
    };
    for (const name of identifiers) byName.set(name, work);
  }

  /** The work of a listing, with what its record adds. */
  function place(listing: ListingRecord): Work {
    const names = identifiersOf(listing.source, listing.paper);
    const found = [...new Set(names.map((name) => byName.get(name)).filter((work) => work !== undefined))];
    const compatible = oneArxivId(found, listing.paper.arxivId);
    const work = compatible.length > 0 ? join(compatible) : newWork(names[0]);
    const free = names.filter((name) => (byName.get(name) ?? work) === work);
    for (const name of free) addName(work, name);
    const { arxivId, doi } = listing.paper;
    const row = withSighting(work.row, {
      source: listing.source,
      record: listing.paper,
      listedOn: listing.listedOn,
      observedAt: listing.observedAt,
      names: { arxivId, doi: doi !== undefined && free.includes(`doi:${doi}`) ? doi : undefined },
    });
    work.changed ||= row !== work.row;
    work.row = row;
    return work;
  }

  function newWork(identity: string): Work {
    return {
      id: null,
      row: emptyRow(identity),
      identifiers: new Set(),
      absorbed: [],
      changed: true,
      replacedBy: null,
    };
  }

  function addName(work: Work, name: string) {
    work.identifiers.add(name);
    byName.set(name, work);
  }

  /** Makes several works one: the oldest row stays, since ledgers may hold its id. */
  function join(works: readonly Work[]): Work {
    const [kept, ...others] = works.toSorted((one, other) => (one.id ?? Infinity) - (other.id ?? Infinity));
    const survivor = kept as Work;
    for (const other of others) {
      survivor.row = mergedRows(survivor.row, other.row);
      survivor.changed = true;
      other.replacedBy = survivor;
      survivor.absorbed.push(...other.absorbed, ...(other.id === null ? [] : [other.id]));
      for (const name of other.identifiers) addName(survivor, name);
    }
    return survivor;
  }

  return { place, current };
}

/** The work that an earlier answer of `place` has become. */
function current(work: Work): Work {
  return work.replacedBy === null ? work : current(work.replacedBy);
}

/** Of the works that a record's names lead to, strongest name first, those that can be one: at most one arXiv id among them. */
function oneArxivId(works: readonly Work[], recordsOwn: string | undefined): Work[] {
  let arxivId = recordsOwn ?? null;
  return works.filter(({ row }) => {
    if (arxivId !== null && row.arxivId !== null && row.arxivId !== arxivId) return false;
    arxivId ??= row.arxivId;
    return true;
  });
}
