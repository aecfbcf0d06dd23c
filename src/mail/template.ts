/**
 * A small template language, the harmless part of Mustache: `{{name}}` (escaped), `{{{name}}}` (a fragment that is encoded already),
 * `{{#name}}…{{/name}}` (once per element; once when true; not at all when false, null or empty), `{{^name}}…{{/name}}` (the opposite).
 * What sets it apart is that a value may be a *slot*: it stays open in the result, so that a block is encoded once and used for
 * many readers, each with links of their own.
 */
export type Template = readonly Node[];

type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'value'; readonly name: string; readonly raw: boolean }
  | { readonly type: 'section'; readonly name: string; readonly inverted: boolean; readonly nodes: Template };

/** Finished text (a string) and slots, in order; never two strings in a row. */
export type Pieces<Slot extends object> = readonly (string | Slot)[];

/** A slot as a value, told from nested values by its wrapping. */
export type Open<Slot extends object> = { readonly slot: Slot };

/** Leaves `slot` open in the result of {@link fill}. */
export function open<Slot extends object>(slot: Slot): Open<Slot> {
  return { slot };
}

/** What a template is filled with. Names of an outer level are seen inside sections. */
export type Values<Slot extends object> = {
  readonly [name: string]: Value<Slot>;
};
type Value<Slot extends object> =
  | string
  | number
  | boolean
  | null
  | undefined
  | Open<Slot>
  | Pieces<Slot>
  | Values<Slot>
  | readonly Values<Slot>[];

const TAG = /\{\{\{\s*([\w.]+)\s*\}\}\}|\{\{\s*([#^/]?)\s*([\w.]+)\s*\}\}/g;

/** Parses a template. @throws SyntaxError for sections that do not match. */
export function parseTemplate(source: string): Template {
  // A section tag alone on its line takes the line with it, as in Mustache.
  const tidied = source.replace(/^[ \t]*(\{\{[#^/][\w.]+\}\})[ \t]*\n/gm, '$1');
  const root: Node[] = [];
  const stack: { name: string; nodes: Node[] }[] = [{ name: '', nodes: root }];
  let at = 0;
  for (const match of tidied.matchAll(TAG)) {
    const top = stack[stack.length - 1] as { name: string; nodes: Node[] };
    if (match.index > at) top.nodes.push({ type: 'text', text: tidied.slice(at, match.index) });
    at = match.index + match[0].length;
    const name = match[1] ?? match[3] ?? '';
    if (match[2] === '#' || match[2] === '^') {
      const nodes: Node[] = [];
      top.nodes.push({ type: 'section', name, inverted: match[2] === '^', nodes });
      stack.push({ name, nodes });
    } else if (match[2] === '/') {
      if (stack.length === 1 || top.name !== name)
        throw new SyntaxError(`template: {{/${name}}} closes ${top.name || 'nothing'}`);
      stack.pop();
    } else top.nodes.push({ type: 'value', name, raw: match[1] !== undefined });
  }
  if (stack.length > 1) throw new SyntaxError(`template: {{#${stack.at(-1)?.name}}} is not closed`);
  if (at < tidied.length) root.push({ type: 'text', text: tidied.slice(at) });
  return root;
}

/** The inside of the first section `name`, at any depth, as a template of its own. @throws RangeError when there is none. */
export function sectionOf(template: Template, name: string): Template {
  const found = findSection(template, name);
  if (!found) throw new RangeError(`template: no section ${name}`);
  return found;
}

function findSection(template: Template, name: string): Template | null {
  for (const node of template) {
    if (node.type !== 'section') continue;
    const found = node.name === name ? node.nodes : findSection(node.nodes, name);
    if (found) return found;
  }
  return null;
}

/** How a template is filled. */
export type FillOptions = {
  /** Encodes plain values for where they stand. */
  readonly escape: (text: string) => string;
};

/** Fills a template. @throws RangeError for a name that has no value: a template and its values must not drift apart. */
export function fill<Slot extends object>(
  template: Template,
  values: Values<Slot>,
  options: FillOptions,
): Pieces<Slot> {
  const pieces: (string | Slot)[] = [];
  fillInto(template, [values], options, pieces);
  return mergePieces(pieces);
}

function fillInto<Slot extends object>(
  template: Template,
  scopes: readonly Values<Slot>[],
  options: FillOptions,
  pieces: (string | Slot)[],
): void {
  for (const node of template) {
    if (node.type === 'text') pieces.push(node.text);
    else if (node.type === 'value') pieces.push(...valuePieces(node, lookUp(node.name, scopes), options));
    else fillSection(node, scopes, options, pieces);
  }
}

function fillSection<Slot extends object>(
  node: Node & { type: 'section' },
  scopes: readonly Values<Slot>[],
  options: FillOptions,
  pieces: (string | Slot)[],
): void {
  const value = lookUp(node.name, scopes);
  const empty = !value || (Array.isArray(value) && value.length === 0);
  if (node.inverted === !empty) return;
  if (node.inverted || typeof value !== 'object' || value === null || isOpen(value))
    return fillInto(node.nodes, scopes, options, pieces);
  for (const inner of Array.isArray(value) ? value : [value])
    fillInto(
      node.nodes,
      typeof inner === 'object' ? [inner as Values<Slot>, ...scopes] : scopes,
      options,
      pieces,
    );
}

function lookUp<Slot extends object>(name: string, scopes: readonly Values<Slot>[]): Value<Slot> {
  for (const scope of scopes) if (Object.hasOwn(scope, name)) return scope[name];
  throw new RangeError(`template: no value for ${name}`);
}

function isOpen<Slot extends object>(value: object): value is Open<Slot> {
  return 'slot' in value;
}

function valuePieces<Slot extends object>(
  node: Node & { type: 'value' },
  value: Value<Slot>,
  options: FillOptions,
): Pieces<Slot> {
  if (value === null || value === undefined || value === false) return [];
  if (typeof value === 'string' || typeof value === 'number')
    return [node.raw ? String(value) : options.escape(String(value))];
  if (node.raw && Array.isArray(value)) return value as Pieces<Slot>;
  if (typeof value === 'object' && isOpen<Slot>(value)) return [value.slot];
  throw new RangeError(`template: ${node.name} is no text`);
}

/** Joins neighbouring strings. */
export function mergePieces<Slot extends object>(pieces: Pieces<Slot>): Pieces<Slot> {
  const merged: (string | Slot)[] = [];
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else {
      if (text !== '') merged.push(text);
      text = '';
      merged.push(piece);
    }
  }
  if (text !== '') merged.push(text);
  return merged;
}
