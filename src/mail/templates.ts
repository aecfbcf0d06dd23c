import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseTemplate, type Template } from './template.ts';

const run = promisify(execFile);

/** Raise when something outside the template files changes what they compile to. */
const VERSION = 1;

/** The two parts of a message, ready to be filled. */
export type MessageTemplates = { readonly html: Template; readonly text: Template };

/** Names of the templates in templates/. */
export type TemplateName = 'digest' | 'notice';

const compiled = new Map<string, Promise<MessageTemplates>>();

/** Reads and compiles `templates/NAME.mjml` and `NAME.txt`; once per process and version, never per message. */
export function loadTemplates(name: TemplateName): Promise<MessageTemplates> {
  const key = `${name}@${VERSION}`;
  const known = compiled.get(key);
  if (known) return known;
  const loading = compile(name);
  // A failure is not remembered: the next call tries again.
  loading.catch(() => compiled.delete(key));
  compiled.set(key, loading);
  return loading;
}

async function compile(name: TemplateName): Promise<MessageTemplates> {
  const [mjml, text] = await Promise.all([read(`${name}.mjml`), read(`${name}.txt`)]);
  return { html: parseTemplate(tidy(await mjmlToHtml(mjml))), text: parseTemplate(text) };
}

function read(file: string): Promise<string> {
  return readFile(new URL(`../../templates/${file}`, import.meta.url), 'utf8');
}

const renderer = fileURLToPath(new URL('./mjml-process.ts', import.meta.url));

/**
 * Renders in a process of its own: MJML needs a hundred megabytes once, and only a process gives them back when it ends (a thread
 * left us with 90 of them).
 */
async function mjmlToHtml(source: string): Promise<string> {
  const cache = getCompileCacheDir();
  const rendering = run(process.execPath, [renderer, cache ? dirname(cache) : ''], {
    maxBuffer: 16 * 1024 * 1024,
  });
  rendering.child.stdin?.end(source);
  return (await rendering).stdout;
}

/** Drops what MJML writes and no client needs: indentation, empty lines, empty attributes, defaults. */
function tidy(html: string): string {
  return (
    html
      .replace(/[ \t]*\n\s*/g, '\n')
      .replace(/^<!doctype html>/, '<!DOCTYPE html>')
      .replaceAll('word-spacing:normal;', '')
      // `start` lets text from right to left begin at its own side; Outlook knows `left` only.
      .replaceAll('text-align:left;', 'text-align:left;text-align:start;')
      .replace(/ (?:class|style)=""/g, '')
      .replace(/<(body|div|td)  /g, '<$1 ')
      .replace(/<style[^>]*>\s*<\/style>\n?/g, '')
      .replace(/<noscript>\s*|\s*<\/noscript>/g, '')
      .trim()
  );
}
