import { createCache } from './cache.ts';
import type { Chunks } from './chunk.ts';
import type { Note } from './digest-words.ts';
import { encodeHtml } from './encode-html.ts';
import { wrap } from './encode-text.ts';
import type { Locale } from './languages.ts';
import type { Block, Encoders, Slot } from './slots.ts';
import { fill, open, sectionOf, type Template, type Values } from './template.ts';
import type { MessageTemplates } from './templates.ts';

/** Lines and headings kept encoded. */
const KEPT = 5_000;

/** The two bodies. */
export type Channel = 'html' | 'text';

/** A small part of a digest, encoded for both bodies. */
export type Fragment = { readonly html: Chunks; readonly text: Chunks };

/** Fills sections of the digest's templates, and encodes them. */
export type SectionWriter = {
  html<Field extends string = never>(template: Template, values: Values<Slot<Field>>): Block<Field>;
  text<Field extends string = never>(template: Template, values: Values<Slot<Field>>): Block<Field>;
  /** The section `name` of both templates, which has no field: a function of the values for HTML and for text. */
  both(name: string): (html: Values<Slot>, text: Values<Slot>) => Fragment;
};

/** @param templates of `loadTemplates('digest')` */
export function createSectionWriter(templates: MessageTemplates, encoders: Encoders): SectionWriter {
  const html = <Field extends string>(template: Template, values: Values<Slot<Field>>) =>
    encoders.html(fill(template, values, { escape: encodeHtml }));
  const text = <Field extends string>(template: Template, values: Values<Slot<Field>>) =>
    encoders.text(fill(template, values, { escape: (plain) => plain }));
  const both = (name: string) => {
    const forHtml = sectionOf(templates.html, name);
    const forText = sectionOf(templates.text, name);
    return (htmlValues: Values<Slot>, textValues: Values<Slot>): Fragment => ({
      html: html(forHtml, htmlValues),
      text: text(forText, textValues),
    });
  };
  return { html, text, both };
}

/** The parts of a digest that stand for themselves. */
export type Fragments = {
  /** The heading of some papers. */
  section(heading: string): Fragment;
  /** A remark in the foot. */
  note(note: Note, locale: Locale): Fragment;
  /** The line on top of the HTML, which mail clients show behind the subject; none for an empty text. */
  preview(text: string): Chunks;
  /** A line of clean text. */
  line(text: string): Fragment;
};

/** Creates {@link Fragments}; headings and lines are encoded once and kept. */
export function createFragments(
  writer: SectionWriter,
  encoders: Encoders,
  templates: MessageTemplates,
): Fragments {
  const previewLine = sectionOf(templates.html, 'previewLine');
  const section = writer.both('section');
  const noteLine = writer.both('noteLine');
  const lines = createCache<Fragment>(KEPT);
  const sections = createCache<Fragment>(KEPT);
  return {
    section: (name) => sections(name, () => section({ name }, { name })),
    note: ({ text, page }, { phrases: { colon, digest } }) => {
      const view = open<Slot>({ type: 'link', to: 'view' });
      const values = { page, view, colon, viewInBrowser: digest.viewInBrowser };
      return noteLine({ ...values, text }, { ...values, text: wrap(text) });
    },
    preview: (text) => (text === '' ? [] : writer.html<never>(previewLine, { text })),
    line: (text) =>
      lines(text, () => ({
        html: encoders.html<never>([encodeHtml(text)]),
        text: encoders.text<never>([wrap(text)]),
      })),
  };
}
