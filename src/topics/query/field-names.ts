/** A field of the query language. */
export type QueryField = 'author' | 'category' | 'organisation' | 'title' | 'after';

/** Every name a field may be typed by. */
export const FIELD_NAMES: ReadonlyMap<string, QueryField> = new Map<string, QueryField>([
  ['author', 'author'],
  ['au', 'author'],
  ['cat', 'category'],
  ['category', 'category'],
  ['org', 'organisation'],
  ['organisation', 'organisation'],
  ['organization', 'organisation'],
  ['title', 'title'],
  ['ti', 'title'],
  ['after', 'after'],
  ['since', 'after'],
]);

/** The field that a typed name stands for, in whatever case. */
export const fieldOf = (name: string): QueryField | undefined => FIELD_NAMES.get(name.toLowerCase());
