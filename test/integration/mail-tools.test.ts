import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawOf } from '#src/mail/content.ts';
import { createDkimSigner, type DkimKey, dkimRecord } from '#src/mail/dkim.ts';
import { type PreviewMessage, previewMessages } from '#src/mail/preview/messages.ts';
import { has, received, startRspamd, startSpamAssassin } from '#test/support/mail-judges.ts';
import { sender } from '#test/support/mail-samples.ts';

/** Programs that others wrote to judge or to show mails; from Debian: `apt-get install spamassassin rspamd opendkim w3m lynx mutt`. */
function run(program: string, args: readonly string[], input: Buffer | string = ''): string {
  const { stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8', timeout: 60_000 });
  return `${stdout ?? ''}${stderr ?? ''}`;
}

const missing = (program: string) => (has(program) ? '' : ` (skipped: no ${program} on this machine)`);

const key = (selector: string, privateKey: DkimKey['privateKey']): DkimKey => ({
  domain: 'paperboy.example',
  selector,
  privateKey,
});
const KEYS = [
  key(
    'r1',
    generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString(),
  ),
  key('e1', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
];

const messages: PreviewMessage[] = [];
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'paperboy-tools-'));
  const now = () => new Date();
  for await (const message of previewMessages({ sender, now, sign: createDkimSigner({ keys: KEYS, now }) }))
    messages.push(message);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function messageOf(name: string, language: string): Buffer {
  const found = messages.find((message) => message.name === name && message.language === language);
  if (!found) throw new Error(`no message ${name}.${language}`);
  return rawOf(found.message);
}

describe.skipIf(!has('opendkim'))(`opendkim${missing('opendkim')}`, () => {
  test('verifies the RSA signature of every message', () => {
    writeFileSync(
      join(folder, 'keys'),
      KEYS.map(dkimRecord)
        .map(({ name, value }) => `${name} ${value}\n`)
        .join(''),
    );
    writeFileSync(join(folder, 'conf'), `Mode v\nTestPublicKeys ${join(folder, 'keys')}\nSyslog no\n`);
    const files = messages.map(({ message }, index) => {
      const file = join(folder, `${index}.eml`);
      writeFileSync(file, rawOf(message));
      return file;
    });
    const verdicts = run('opendkim', ['-x', join(folder, 'conf'), '-t', files.join(',')])
      .trim()
      .split('\n');
    expect(verdicts.filter((verdict) => verdict.includes('2048-bit key) succeeded')).length).toBe(
      messages.length,
    );
  });
});

/** Rules that say what the mail is, not that it is bad. */
const NEUTRAL = /^(?:HTML_MESSAGE|MAILING_LIST_MULTI|DKIM_\w+|T_\w+|SPF_\w+|NO_RELAYS)$/;
/**
 * What rspamd gives a point for, of its 15: an odd number of links, which one mail in two has. Nothing about MIME, headers, the shape of HTML
 * or obfuscation.
 */
const COUNTED = new Set(['URI_COUNT_ODD']);

/** Every kind of message, the languages by turns. */
const oneOfEach = () =>
  [...Map.groupBy(messages, ({ name }) => name).values()].map(
    (versions, index) => versions[index % versions.length] as PreviewMessage,
  );

describe.skipIf(!has('spamassassin'))(`SpamAssassin${missing('spamassassin')}`, () => {
  test('has nothing against any message', { timeout: 120_000 }, async () => {
    const filter = await startSpamAssassin();
    try {
      for (const { name, language, message } of oneOfEach()) {
        const { score, rules } = await filter.judge(received(rawOf(message), new Date()));
        expect(score, `${name}.${language}`).toBeLessThanOrEqual(0.5);
        expect(Object.keys(rules), `${name}.${language}`).toContain('HTML_MESSAGE');
        expect(Object.keys(rules).filter((rule) => !NEUTRAL.test(rule))).toEqual([]);
      }
    } finally {
      await filter.close();
    }
  });
});

describe.skipIf(!has('rspamd'))(`rspamd${missing('rspamd')}`, () => {
  test('gives no message a point but for how many links it has', { timeout: 240_000 }, async () => {
    const filter = await startRspamd();
    try {
      for (const { name, language, message } of oneOfEach()) {
        const { score, rules } = await filter.judge(received(rawOf(message), new Date()));
        // 0.5 of SpamAssassin's 5 is 1.5 of rspamd's 15.
        expect(score, `${name}.${language}`).toBeLessThanOrEqual(1.5);
        const points = Object.entries(rules).filter(([rule, score]) => score > 0 && !COUNTED.has(rule));
        expect(points, `${name}.${language}`).toEqual([]);
        expect(rules).toHaveProperty('MIME_GOOD');
      }
    } finally {
      await filter.close();
    }
  });
});

describe.each([
  ['w3m', ['-dump', '-cols', '80', '-T', 'text/html']],
  ['lynx', ['-dump', '-nolist', '-width=80', '-stdin']],
])('%s', (program, args) => {
  test.skipIf(!has(program))(`reads the HTML as one would write it${missing(program)}`, async () => {
    const { html = '' } = await PostalMime.parse(messageOf('digest-daily', 'en'));
    const dump = run(program, args, html).replace(/\s+/g, ' ');
    const inOrder = [
      'Paperboy · View in browser · Unsubscribe',
      '203 new in cs.AI · 24 new in Hugging Face · 10 of 428 papers chosen for you · 31 you already had · cs.CL is late',
      'GPTs: A New Approach to Autoregressive Models Arnaud Pannatier, Evann Courdier',
      'because you follow Language models: autoregressive, any order',
      'Paper · PDF · Code more like this · less like this · mute Language models · not now',
      'Preferences · Change frequency · Pause: a week, a month, until a date · Unsubscribe from everything',
      'No tracking pixel, no redirected links.',
    ];
    const positions = inOrder.map((text) => dump.indexOf(text));
    expect(positions).not.toContain(-1);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  });
});
