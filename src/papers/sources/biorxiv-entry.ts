import { doiOf } from '../identity.ts';
import type { SourceItem } from '../paper.ts';
import { fault } from '../source.ts';
import { known, lineOf, storable } from '../text.ts';
import { dateOf } from './json-lines.ts';
import { isFields } from './loose-record.ts';
import { type ReadContext, seenAt } from './read-context.ts';

/**
 * One record of the details API of bioRxiv and medRxiv (https://api.biorxiv.org). Each version is a record of its own:
 * the first is new, later ones replace it. `published` is the journal's DOI: another name of the same work. Dates may
 * lack their zeros; authors are one text, `Family, G.; …`.
 */
export function readDetails(entry: unknown, context: ReadContext): SourceItem {
  const at = context.position;
  if (!isFields(entry)) return fault(context.where, 'a record that is no object', at);
  const doi = doiOf(lineOf(entry['doi']) ?? '');
  const title = lineOf(entry['title']);
  const listedOn = dateOf(lineOf(entry['date']));
  if (!doi) return fault(context.where, `no DOI: ${JSON.stringify(entry['doi'])}`, at);
  if (!title) return fault(context.where, `${doi} has no title`, at);
  if (!listedOn) return fault(context.where, `${doi} has no date: ${JSON.stringify(entry['date'])}`, at);
  const server = lineOf(entry['server'])?.toLowerCase() === 'medrxiv' ? 'medrxiv' : 'biorxiv';
  const version = Number(lineOf(entry['version']) ?? entry['version']);
  const journal = doiOf(lineOf(entry['published']) ?? '');
  const category = lineOf(entry['category']);
  const organisation = lineOf(entry['author_corresponding_institution']);
  const paper = known({
    sourceId: doi,
    doi,
    aliases: journal && journal !== doi ? [`doi:${journal}`] : undefined,
    title,
    abstract: typeof entry['abstract'] === 'string' ? storable(entry['abstract']).trim() : '',
    authors: peopleIn(entry['authors']),
    categories: category ? [category] : undefined,
    organisation,
    license: lineOf(entry['license']),
    version: Number.isInteger(version) && version > 0 ? version : undefined,
    url: `https://www.${server}.org/content/${doi}`,
    pdfUrl: `https://www.${server}.org/content/${doi}.full.pdf`,
    withdrawn: /withdraw/i.test(lineOf(entry['type']) ?? ''),
  });
  const kind = version > 1 ? 'replace' : 'new';
  const observedAt = seenAt(context, listedOn);
  return {
    type: 'listing',
    listing: { source: server, listedOn, kind, section: category ?? '', observedAt, paper },
  };
}

/** `Tachiwana, H.; Dacher, M.` as people write themselves: `H. Tachiwana`, `M. Dacher`. */
function peopleIn(value: unknown): string[] | undefined {
  const parts = (lineOf(value) ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const names = parts.map((part) => {
    const [family = '', ...given] = part.split(',').map((piece) => piece.trim());
    return [given.join(' '), family].filter((piece) => piece !== '').join(' ');
  });
  return names.length > 0 ? names : undefined;
}
