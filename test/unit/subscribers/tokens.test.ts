import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LINK_TOKENS, openToken, TOKEN_LENGTH } from '#src/mail/links.ts';
import { createLinks } from '#src/subscribers/links.ts';
import { createTokens, type TokenPurpose } from '#src/subscribers/tokens.ts';

const tokens = createTokens({ secret: 'a secret of at least thirty-two characters' });
const now = new Date('2026-06-05T07:00Z');
const publicId = '2f0c6a1e-5b7d-4c8e-9f10-a1b2c3d4e5f6';
const subject = { publicId, epoch: 3 };
const purposes: TokenPurpose[] = [
  'preferences',
  'unsubscribe',
  'one-click',
  'pause',
  'digest',
  'feedback',
  'topic',
];

describe('tokens', () => {
  it('come back as they were signed', () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.constantFrom(...purposes),
        (id, epoch, purpose) => {
          const token = tokens.sign(purpose, { publicId: id, epoch });
          expect(tokens.read(purpose, token, now)).toEqual({ type: 'ok', publicId: id.toLowerCase(), epoch });
        },
      ),
    );
  });

  it('are good for one purpose only', () => {
    for (const made of purposes)
      for (const asked of purposes) {
        const { type } = tokens.read(asked, tokens.sign(made, subject), now);
        expect(type).toBe(made === asked ? 'ok' : 'other-purpose');
      }
  });

  it('are forged when a single character differs, in length or in secret', () => {
    const token = tokens.sign('pause', subject);
    fc.assert(
      fc.property(
        fc.nat(token.length - 1),
        fc.constantFrom(...'A B C x y z 0 1 9 - _'.split(' ')),
        (at, letter) => {
          const changed = token.slice(0, at) + letter + token.slice(at + 1);
          if (changed !== token) expect(tokens.read('pause', changed, now)).toEqual({ type: 'forged' });
        },
      ),
    );
    expect(tokens.read('pause', `${token}A`, now).type).toBe('forged');
    expect(tokens.read('pause', '', now).type).toBe('forged');
    const other = createTokens({ secret: 'another secret of thirty-two characters!' });
    expect(other.read('pause', token, now).type).toBe('forged');
  });

  it('never throw on what a visitor types', () => {
    fc.assert(fc.property(fc.string(), (text) => tokens.read('feed', text, now).type === 'forged'));
  });

  it('expire at their second', () => {
    const token = tokens.sign('undo', subject, now.getTime() / 1000);
    expect(tokens.read('undo', token, now).type).toBe('ok');
    expect(tokens.read('undo', token, new Date(now.getTime() + 1)).type).toBe('expired');
  });

  it('are the same made one by one or together', () => {
    const together = tokens.signEach(purposes, subject);
    for (const purpose of purposes) expect(together[purpose]).toBe(tokens.sign(purpose, subject));
    expect(new Set(Object.values(together).map((token) => token.slice(-22))).size).toBe(purposes.length);
  });

  it('of the form that was mailed before are still read', () => {
    const unsubscribe = 'Ai8Mah5bfUyOnxChssPU5fYAAAADAAAAAD2J-jCfs24yC7t1IjXXNlo';
    const undo = 'CC8Mah5bfUyOnxChssPU5fYAAAADaiJz8DcRlw8sM6MD9mexxXiVflE';
    expect(tokens.read('unsubscribe', unsubscribe, now)).toEqual({ type: 'ok', ...subject });
    expect(tokens.read('pause', unsubscribe, now).type).toBe('other-purpose');
    expect(tokens.read('undo', undo, now).type).toBe('ok');
    // Neither form's tag makes a token of the other.
    const made = Buffer.from(tokens.sign('unsubscribe', subject), 'base64url');
    const swapped = [Buffer.from(unsubscribe, 'base64url'), made].map((token) => {
      token[0] = (token[0] as number) ^ 0x10;
      return token.toString('base64url');
    });
    for (const token of swapped) expect(tokens.read('unsubscribe', token, now).type).toBe('forged');
  });

  it('of confirmations can be made again and differ by purpose and row', () => {
    const token = tokens.confirmation('subscribe', 7);
    expect(tokens.confirmation('subscribe', 7)).toBe(token);
    expect(
      new Set([token, tokens.confirmation('subscribe', 8), tokens.confirmation('change-address', 7)]).size,
    ).toBe(3);
  });
});

describe('links', () => {
  const links = createLinks({ baseUrl: 'https://papers.example/base/', tokens });

  it('are absolute, carry no address and encode what a topic is called', () => {
    const reader = links.linksOf({ publicId, linkEpoch: 3 });
    const url = new URL(reader.topic('author', 'Ada & Eve?=#ü', 'mute'));
    expect(url.searchParams.get('value')).toBe('Ada & Eve?=#ü');
    expect(reader.viewDigest('2026-06-05')).toMatch(
      /^https:\/\/papers\.example\/base\/digest\/[\w-]{55}\/2026-06-05$/,
    );
    expect(reader.feedback(12, 'less')).toMatch(/\/feedback\/[\w-]{55}\/12\/less$/);
    expect(new Set([reader.preferences, reader.unsubscribe, reader.oneClick, reader.pause]).size).toBe(4);
  });

  it("of all readers are open, and a reader's tokens fill them", () => {
    const reader = links.linksOf({ publicId, linkEpoch: 3 });
    const token = links.tokensOf({ publicId, linkEpoch: 3 });
    for (const purpose of LINK_TOKENS) expect(token[purpose]).toHaveLength(TOKEN_LENGTH);
    expect(links.open.oneClick.replace(openToken('one-click'), token['one-click'])).toBe(reader.oneClick);
    const open = links.open.topic('author', "O'Neill", 'mute');
    expect(open.replace(openToken('topic'), token.topic)).toBe(reader.topic('author', "O'Neill", 'mute'));
  });
});
