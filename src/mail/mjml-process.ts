import { enableCompileCache } from 'node:module';
import { text } from 'node:stream/consumers';

// Runs in a process of its own, see templates.ts: MJML on standard input, HTML on standard output.
// Compiled modules are kept where those of the process that asks are; it names the folder.
const [, , folder] = process.argv;
if (folder) enableCompileCache(folder);
const { default: mjml } = await import('mjml');

// `strict` throws for anything that is not MJML; `fonts: {}` keeps web fonts, and so requests to others, out of the mails.
const { html } = await mjml(await text(process.stdin), {
  validationLevel: 'strict',
  keepComments: false,
  fonts: {},
});
process.stdout.write(html);
