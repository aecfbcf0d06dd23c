import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runCheck } from '#src/command-line/doctor/check.ts';
import { checkDomains, type DomainDns, judgeKey } from '#src/command-line/doctor/domain.ts';
import { judgeRelay } from '#src/command-line/doctor/relays.ts';
import { readConfig } from '#src/config.ts';
import { dkimRecord } from '#src/mail/dkim.ts';
import { publishedKey } from '#src/mail/domain-records.ts';
import type { RelayProbe } from '#src/mail/relay-probe.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';

const NOW = new Date('2026-06-10T12:00:00Z');

describe('a relay', () => {
  const far = parseRelay('smtp://ada:secret@mail.example.org:587');
  const extensions = {
    pipelining: true,
    chunking: false,
    eightBit: true,
    utf8: false,
    size: true,
    maxSize: 50_000_000,
  };
  const probe: RelayProbe = {
    type: 'connected',
    tookMs: 80,
    tls: { protocol: 'TLSv1.3', validTo: new Date('2026-09-01') },
    extensions,
  };
  test('that is well says what it offers, and never the password', () => {
    expect(judgeRelay(far, probe, NOW)).toEqual({
      check: 'relay mail.example.org:587',
      state: 'ok',
      seen: 'ready in 80 ms, TLSv1.3, certificate until 2026-09-01, logged in as ada, PIPELINING 8BITMIME SIZE 50 MB',
      fix: null,
    });
  });
  test.each<[string, Partial<RelayProbe>, string]>([
    ['in the clear over a network', { tls: null }, 'warning'],
    [
      'a certificate that ends soon',
      { tls: { protocol: 'TLSv1.3', validTo: new Date('2026-06-15') } },
      'warning',
    ],
    ['takes no digest', { extensions: { ...extensions, maxSize: 20_000 } }, 'failed'],
    ['takes no long one', { extensions: { ...extensions, maxSize: 100_000 } }, 'warning'],
  ])('%s', (_name, more, state) => expect(judgeRelay(far, { ...probe, ...more }, NOW).state).toBe(state));
  test.each([['smtp://127.0.0.1:25'], ['smtp://10.0.0.9'], ['smtp://relay']])('%s needs no TLS', (url) =>
    expect(judgeRelay(parseRelay(url), { ...probe, tls: null }, NOW).state).toBe('ok'),
  );
  test.each([
    ['refused', 'Invalid login: 535 no', /user and password/],
    ['unreachable', 'self-signed certificate', /NODE_EXTRA_CA_CERTS/],
    ['unreachable', 'getaddrinfo ENOTFOUND mail.example.org', /name server/],
    ['unreachable', 'connect ECONNREFUSED 192.0.2.1:587', /firewall/],
    ['unreachable', 'Greeting never received', /says nothing/],
    ['unreachable', 'ssl3_get_record:wrong version number', /smtps:/],
  ] as const)('%s, %s: the fix fits', (type, reply, fix) => {
    const finding = judgeRelay(far, { type, reply }, NOW);
    expect(finding).toMatchObject({ state: 'failed', seen: reply, fix: expect.stringMatching(fix) });
    expect(JSON.stringify(finding)).not.toContain('secret');
  });
});

describe('the DNS of a domain', () => {
  const folder = mkdtempSync(join(tmpdir(), 'paperboy-doctor-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const privateKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(join(folder, 'key.pem'), privateKey);
  const { value } = dkimRecord({
    domain: 'example.org',
    selector: 's1',
    privateKey: String(privateKey),
  });
  const config = readConfig({
    MAIL_FROM: 'Papers <papers@news.example.org>',
    BOUNCE_ADDRESS: 'bounces@back.example.org',
    DKIM_KEYS: `example.org:s1:${join(folder, 'key.pem')}`,
  });
  const absent = () => Promise.reject(Object.assign(new Error('queryTxt ENODATA'), { code: 'ENODATA' }));
  const dns = (zone: Record<string, string[]>, mx = true): DomainDns => ({
    txt: async (name) => (zone[name] ? zone[name].map((text) => [text]) : absent()),
    mail: { mx: async () => (mx ? [{ exchange: 'mx.example.org' }] : absent()), addresses: absent },
  });
  const WELL = {
    's1._domainkey.example.org': [value],
    'back.example.org': ['site-verification=1', 'v=spf1 ip4:192.0.2.1 -all'],
    '_dmarc.example.org': ['v=DMARC1; p=none'],
  };
  const statesOf = async (given: DomainDns) => {
    const found = await Promise.all(checkDomains(config, given).map((check) => runCheck(check)));
    return Object.fromEntries(found.flat().map(({ check, state }) => [check, state]));
  };

  test('all there: SPF of the envelope sender, DKIM and DMARC of a domain above From', async () => {
    expect(await statesOf(dns(WELL))).toEqual({
      'mail of news.example.org': 'ok',
      'mail of back.example.org': 'ok',
      SPF: 'ok',
      DKIM: 'ok',
      DMARC: 'ok',
    });
  });
  test('nothing there', async () => {
    expect(await statesOf(dns({}, false))).toEqual({
      'mail of news.example.org': 'failed',
      'mail of back.example.org': 'failed',
      SPF: 'warning',
      DKIM: 'failed',
      DMARC: 'warning',
    });
  });
  test('records that contradict or allow everybody', async () => {
    const twice = { ...WELL, 'back.example.org': ['v=spf1 -all', 'v=spf1 a ~all'] };
    expect((await statesOf(dns(twice))).SPF).toBe('failed');
    const open = {
      ...WELL,
      'back.example.org': ['v=spf1 a +all'],
      '_dmarc.example.org': ['v=DMARC1', 'v=DMARC1'],
    };
    expect(await statesOf(dns(open))).toMatchObject({ SPF: 'warning', DMARC: 'warning' });
    const other = { ...WELL, 's1._domainkey.example.org': ['v=DKIM1; k=ed25519; p=AAAA'] };
    expect((await statesOf(dns(other))).DKIM).toBe('failed');
  });
  test('a name server that does not answer is told as that', async () => {
    const away = () => Promise.reject(Object.assign(new Error('queryTxt ETIMEOUT'), { code: 'ETIMEOUT' }));
    const states = await statesOf({ txt: away, mail: { mx: away, addresses: away } });
    expect(new Set(Object.values(states))).toEqual(new Set(['failed']));
    expect(await publishedKey({ name: 'a', value: 'b' }, away)).toBe('no answer');
  });
  test('a key of a domain that is not above From', () => {
    expect(judgeKey('example.com', 'example.org', 's', 'right').state).toBe('warning');
    expect(judgeKey('ample.org', 'example.org', 's', 'right').state).toBe('warning');
  });
  test('an address of no domain, and no key', async () => {
    const local = await Promise.all(checkDomains(readConfig({})).map((check) => runCheck(check)));
    expect(local.flat()).toMatchObject([{ check: 'mail domain', state: 'warning' }]);
    const bare = readConfig({ MAIL_FROM: 'a@example.org' });
    const found = await Promise.all(checkDomains(bare, dns(WELL)).map((check) => runCheck(check)));
    expect(found.flat().find(({ check }) => check === 'DKIM')?.state).toBe('warning');
  });
});
