import { parentPort, workerData } from 'node:worker_threads';
import mjml from 'mjml';

// Runs in a thread of its own, see templates.ts.
// `strict` throws for anything that is not MJML; `fonts: {}` keeps web fonts, and so requests to others, out of the mails.
const { html } = await mjml(workerData as string, {
  validationLevel: 'strict',
  keepComments: false,
  fonts: {},
});
parentPort?.postMessage(html);
