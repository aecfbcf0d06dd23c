import { describe, expect, it } from 'vitest';
import { forbiddenUrl, isPublicAddress, siteOf, wrongRedirect } from '#src/papers/http/addresses.ts';

const publicOnly = { allow: isPublicAddress, trusted: new Set<string>() };

describe('addresses that requests may go to', () => {
  it.each(['128.84.21.199', '8.8.8.8', '2606:4700::6810:84e5', '2a00:1450:4001:81b::200e'])(
    '%s is public',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'no address',
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1:8080/',
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'ftp://arxiv.org/',
    'https://user:secret@arxiv.org/',
  ])('%s is not requested', (url) => expect(forbiddenUrl(new URL(url), publicOnly)).toBeDefined());

  it('an internal host that the operator has set is, and no other one', () => {
    const places = { allow: isPublicAddress, trusted: new Set(['127.0.0.1']) };
    expect(forbiddenUrl(new URL('http://127.0.0.1:8080/api'), places)).toBeUndefined();
    expect(forbiddenUrl(new URL('http://127.0.0.2:8080/api'), places)).toBeDefined();
    expect(forbiddenUrl(new URL('http://[::1]:8080/api'), places)).toBeDefined();
    expect(forbiddenUrl(new URL('http://user:secret@127.0.0.1/'), places)).toBeDefined();
  });

  it('names and public addresses are', () => {
    expect(forbiddenUrl(new URL('https://export.arxiv.org/api/query'), publicOnly)).toBeUndefined();
    expect(forbiddenUrl(new URL('http://8.8.8.8/'), publicOnly)).toBeUndefined();
  });

  it('hosts of one site count together', () => {
    expect(siteOf(new URL('https://rss.arxiv.org/atom/cs.AI'))).toBe('arxiv.org');
    expect(siteOf(new URL('https://arxiv.org.evil.example/'))).toBe('evil.example');
    expect(siteOf(new URL('http://127.0.0.1:81/'))).toBe('127.0.0.1:81');
    expect(siteOf(new URL('http://localhost:81/'))).toBe('localhost:81');
  });

  it.each([
    ['https://export.arxiv.org/api', 'https://arxiv.org/api', true],
    ['http://arxiv.org/', 'https://arxiv.org/', true],
    ['https://arxiv.org/', 'http://arxiv.org/', false],
    ['https://arxiv.org/', 'https://arxiv.org.evil.example/', false],
    ['https://arxiv.org/', 'https://evil.example/arxiv.org', false],
    ['https://arxiv.org/', 'https://127.0.0.1/', false],
    ['https://arxiv.org/', 'file:///etc/passwd', false],
  ])('%s → %s is followed: %s', (from, to, followed) =>
    expect(wrongRedirect(new URL(from), new URL(to)) === undefined).toBe(followed),
  );
});
