import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { addressPolicy, describeAddressFault, OPEN_POLICY, parseAddress } from '#src/subscribers/address.ts';
import { createTakesMail, type DomainResolver } from '#src/subscribers/mail-domain.ts';

const key = (typed: string) => {
  const parsed = parseAddress(typed);
  return parsed.type === 'ok' ? parsed.address.key : parsed.type;
};

describe('addresses', () => {
  it.each([
    [' Ada@Example.ORG ', 'ada@example.org'],
    ['a.b+c@sub.example.org', 'a.b+c@sub.example.org'],
    ['jörg@müller.example', 'jörg@xn--mller-kva.example'],
    ['jo\u0308rg@example.org', 'jörg@example.org'],
    ['用户@例子.广告', '用户@xn--fsqu00a.xn--4rr70v'],
  ])('of any language are understood and compared alike: %s', (typed, expected) =>
    expect(key(typed)).toBe(expected),
  );

  it.each([
    '',
    '@',
    'a@',
    '@b.example',
    'a@b',
    'a b@example.org',
    'a@@example.org',
    'a@example..org',
    'a@-example.org',
    'Ada <ada@example.org>',
    'a@example.org,b@example.org',
    '"a b"@example.org',
    'a@[127.0.0.1]',
    'a\u202eb@example.org',
    'a\u0000@example.org',
    'a@example.org\r\nBcc: b@example.org',
    'a(c)@example.org',
  ])('that are none are refused: %j', (typed) => expect(key(typed)).toBe('malformed'));

  it('keep the limits of RFC 5321, in octets', () => {
    expect(key(`${'x'.repeat(64)}@example.org`)).toMatch(/^x/);
    expect(key(`${'ü'.repeat(33)}@example.org`)).not.toMatch(/^ü/);
    expect(
      key(`a@${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.${'w'.repeat(60)}.${'v'.repeat(20)}.org`),
    ).not.toMatch(/^a@/);
  });

  it('never hold what could leave a header, whatever was typed', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('@example.org', '', '@ex\u3002org'),
        (local, domain) => {
          const parsed = parseAddress(`${local}${domain}`);
          if (parsed.type === 'ok') expect(parsed.address.email).not.toMatch(/[\s<>,;:"\\\p{C}]/u);
        },
      ),
    );
  });

  it('of roles and refused domains are refused where the policy says so', () => {
    const settings = { refuseRoles: true, refuseDisposable: false, refusedDomains: ['throwaway.example'] };
    const policy = addressPolicy(settings);
    expect(parseAddress('a@mailinator.com', policy).type).toBe('ok');
    const strict = addressPolicy({ ...settings, refuseDisposable: true });
    expect(parseAddress('a@mailinator.com', strict).type).toBe('disposable');
    expect(parseAddress('a@mx.throwaway.example', strict).type).toBe('disposable');
    expect(parseAddress('Info@example.org', policy).type).toBe('role');
    expect(parseAddress('a@mx.throwaway.example', policy).type).toBe('disposable');
    expect(parseAddress('a@notthrowaway.example', policy).type).toBe('ok');
    expect(parseAddress('info@throwaway.example', OPEN_POLICY).type).toBe('ok');
    for (const type of ['malformed', 'too-long', 'role', 'disposable', 'no-mail'] as const)
      expect(describeAddressFault({ type })).toMatch(/\.$/);
  });
});

describe('domains', () => {
  const absent = (code: string) => Object.assign(new Error(code), { code });
  const resolver = (parts: Partial<DomainResolver>): DomainResolver => ({
    mx: async () => {
      throw absent('ENODATA');
    },
    addresses: async () => {
      throw new AggregateError([absent('ENODATA'), absent('ENOTFOUND')]);
    },
    ...parts,
  });
  const takes = (parts: Partial<DomainResolver>) => createTakesMail(resolver(parts))('example.org');

  test.each<[string, Partial<DomainResolver>, boolean]>([
    ['with an MX', { mx: async () => [{ exchange: 'mx.example.org' }] }, true],
    ['with an address only', { addresses: async () => ['192.0.2.1'] }, true],
    ['with a null MX', { mx: async () => [{ exchange: '' }], addresses: async () => ['192.0.2.1'] }, false],
    ['that does not exist', {}, false],
    ['that could not be asked', { mx: async () => Promise.reject(absent('ESERVFAIL')) }, true],
  ])('%s', async (_name, parts, expected) => expect(await takes(parts)).toBe(expected));

  it('are asked once', async () => {
    let asked = 0;
    const takesMail = createTakesMail(resolver({ mx: async () => [{ exchange: `mx${asked++}` }] }));
    await Promise.all([takesMail('a.example'), takesMail('a.example'), takesMail('b.example')]);
    expect(asked).toBe(2);
  });
});
