import { generateKeyPairSync } from 'node:crypto';
import { authenticate } from 'mailauth';
import { describe, expect, test } from 'vitest';
import { rawOf } from '#src/mail/content.ts';
import { createDkimSigner, type DkimKey, dkimRecord } from '#src/mail/dkim.ts';
import type { OutgoingMessage } from '#src/mail/message.ts';
import { createNoticeComposer } from '#src/mail/notice-mail.ts';
import { NOW, sampleLinks, sender } from '#test/support/mail-samples.ts';
import { composed, expectSoundMessage } from '#test/support/sound-message.ts';

const DOMAIN = 'paperboy.example';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const pem = (key: typeof rsa) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const key = (selector: string, privateKey: string): DkimKey => ({ domain: DOMAIN, selector, privateKey });
const KEYS = [key('r1', pem(rsa)), key('e1', pem(ed25519))];

async function compose(keys: readonly DkimKey[]): Promise<OutgoingMessage> {
  const composer = createNoticeComposer({
    sender,
    now: () => NOW,
    sign: createDkimSigner({ keys, now: () => NOW }),
  });
  const links = { reader: sampleLinks('3f0c7a52-9a51-4c1e-8c39-6d3f3c7d0a11') };
  return composed(
    await composer.compose({
      id: 1,
      notice: { kind: 'resumed' },
      email: 'reader@example.org',
      language: 'en',
      links,
    }),
  );
}

/** Verifies with mailauth, the DNS answering with the keys' records. */
async function verify(raw: Buffer, keys: readonly DkimKey[]) {
  const records = new Map(keys.map((each) => [dkimRecord(each).name, dkimRecord(each).value]));
  const { dkim } = await authenticate(raw, {
    ip: '192.0.2.1',
    helo: 'mx.example',
    sender: 'bounces@paperboy.example',
    disableArc: true,
    disableDmarc: true,
    disableBimi: true,
    resolver: async (name: string) => {
      const value = records.get(name);
      if (!value) throw Object.assign(new Error(`no record for ${name}`), { code: 'ENOTFOUND' });
      return [[value]];
    },
  });
  return dkim.results.map(({ selector, status, signingHeaders }) => ({
    selector,
    result: status.result,
    covered: signingHeaders?.keys.toLowerCase().split(/:\s*/) ?? [],
  }));
}

describe('DKIM', () => {
  test('RSA and Ed25519 both verify, and cover every header', async () => {
    const message = await compose(KEYS);
    expectSoundMessage(message);
    const results = await verify(rawOf(message), KEYS);
    expect(results.map(({ selector, result }) => [selector, result])).toEqual([
      ['r1', 'pass'],
      ['e1', 'pass'],
    ]);
    for (const { covered } of results)
      for (const header of [
        'from',
        'to',
        'subject',
        'date',
        'message-id',
        'list-id',
        'list-unsubscribe',
        'list-unsubscribe-post',
        'feedback-id',
        'reply-to',
        'auto-submitted',
        'precedence',
        'mime-version',
        'content-type',
        'content-language',
      ])
        expect(covered).toContain(header);
  });

  test.each([
    [
      'a changed header',
      (raw: string) => raw.replace('List-Unsubscribe=One-Click', 'List-Unsubscribe=Other'),
    ],
    ['an added second From', (raw: string) => raw.replace('\r\nTo: ', '\r\nFrom: other@example.org\r\nTo: ')],
    ['a changed body', (raw: string) => raw.replace('Welcome back</h1>', 'Welcome</h1>')],
  ])('%s breaks both signatures', async (_, change) => {
    const raw = rawOf(await compose(KEYS)).toString('latin1');
    const changed = change(raw);
    expect(changed).not.toBe(raw);
    const results = await verify(Buffer.from(changed, 'latin1'), KEYS);
    expect(results.map(({ result }) => result)).not.toContain('pass');
  });

  test('rotation: of each algorithm the key in front signs; mails that the old one signed still verify', async () => {
    const old = key('old', pem(ed25519));
    const next = key('next', pem(generateKeyPairSync('ed25519').privateKey));
    const published = [...KEYS, old, next];
    const selectors = async (keys: readonly DkimKey[]) =>
      (await verify(rawOf(await compose(keys)), published)).map(
        ({ selector, result }) => `${selector} ${result}`,
      );
    expect(await selectors([old, KEYS[0] as DkimKey])).toEqual(['r1 pass', 'old pass']);
    expect(await selectors([next, old, KEYS[0] as DkimKey])).toEqual(['r1 pass', 'next pass']);
  });

  test('keys that cannot sign are refused at the start, without quoting them', () => {
    const create = (privateKey: string) => () =>
      createDkimSigner({ keys: [key('x', privateKey)], now: () => NOW });
    expect(create('SECRET')).toThrow('DKIM key x._domainkey.paperboy.example: is no private key in PEM');
    expect(create(pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey))).toThrow(
      'must be RSA or Ed25519',
    );
    expect(create(pem(generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey))).toThrow(
      'at least 1024',
    );
  });
});
