import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DigestId, IsoDate, SubscriberId } from '#src/database/ids.ts';
import { createReceiveMail } from '#src/digests/receive-mail.ts';
import { createNoticeStore } from '#src/mail/notice-store.ts';
import { bounceTag, verpAddress } from '#src/mail/sender.ts';
import { addressKey } from '#src/subscribers/lifecycle.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { createTestSubscribers, visit } from '#test/support/subscribers.ts';

const KEY = 'a key of at least thirty-two octets, for tests';
const SENT = new Date('2026-06-05T07:00Z');
let db: TestDatabase;
let on: ReturnType<typeof createTestSubscribers>;
let take: ReturnType<typeof createReceiveMail>;
let count = 0;

beforeAll(async () => {
  db = await createTestDatabase();
  on = createTestSubscribers(db.database);
  const { subscribers, suppressions, tokens, clock } = on;
  take = createReceiveMail({
    database: db.database,
    key: KEY,
    suppressions,
    subscribers,
    tokens,
    addressKey,
    now: () => clock.now,
  });
});
afterAll(() => db.destroy());

type Reader = {
  id: SubscriberId;
  publicId: string;
  email: string;
  digest: DigestId;
  verp: string;
  epoch: number;
};
let reader: Reader;

beforeEach(async () => {
  const email = `reader${++count}@example.org`;
  const row = await db.database
    .insertInto('subscribers')
    .values({ email, email_key: email, state: 'active', timezone: 'UTC', hour: 7, confirmed_at: SENT })
    .returning(['id', 'public_id', 'link_epoch'])
    .executeTakeFirstOrThrow();
  const digest = await db.database
    .insertInto('digests')
    .values({
      edition_date: '2026-06-05' as IsoDate,
      subscriber_id: row.id,
      state: 'sent',
      slot_at: SENT,
      due_at: SENT,
      deadline: SENT,
      handed_over_at: SENT,
      finished_at: SENT,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const verp = verpAddress('bounces@paperboy.example', bounceTag({ kind: 'digest', id: digest.id }, KEY));
  reader = {
    id: row.id as SubscriberId,
    publicId: row.public_id,
    email,
    digest: digest.id as DigestId,
    verp,
    epoch: row.link_epoch,
  };
});

const bounce = (to: string, status: string, said: string) =>
  Buffer.from(
    [
      'From: MAILER-DAEMON@mx.example.net',
      `To: ${to}`,
      'Subject: Undelivered Mail',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
      '',
      '--b',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mx.example.net',
      '',
      'Final-Recipient: rfc822; someone@elsewhere.example',
      'Action: failed',
      `Status: ${status}`,
      `Diagnostic-Code: smtp; ${said}`,
      '',
      '--b--',
      '',
    ].join('\r\n'),
  );
const complaint = (verp: string, type = 'abuse') =>
  Buffer.from(
    [
      'From: fbl@provider.example',
      'To: abuse@paperboy.example',
      'Subject: report',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=feedback-report; boundary=b',
      '',
      '--b',
      'Content-Type: message/feedback-report',
      '',
      `Feedback-Type: ${type}`,
      'User-Agent: x/1',
      'Version: 1',
      '',
      '--b',
      'Content-Type: message/rfc822',
      '',
      `Return-Path: <${verp}>`,
      'Subject: Papers',
      '',
      'x',
      '--b--',
      '',
    ].join('\r\n'),
  );
const suppressedAs = async (email: string) => (await on.suppressions.among(db.database, [email])).get(email);
const stateOf = async (id: SubscriberId) =>
  (await db.database.selectFrom('subscribers').select('state').where('id', '=', id).executeTakeFirstOrThrow())
    .state;

describe('a bounce', () => {
  test('that is hard suppresses the address that our tag names, whatever the report names; twice does no more', async () => {
    const mail = bounce(reader.verp, '5.1.1', '550 5.1.1 User unknown');
    for (let time = 0; time < 2; time++)
      expect(await take(mail)).toEqual({
        type: 'bounce',
        did: 'suppressed',
        about: `digest ${reader.digest}`,
        detail: 'userunknown 550 5.1.1: 550 5.1.1 User unknown',
      });
    expect(await suppressedAs(reader.email)).toBe('hard_bounce');
    expect(await suppressedAs('someone@elsewhere.example')).toBeUndefined();
    expect(await stateOf(reader.id)).toBe('active');
  });

  test('leaves no address behind: a suppression outlives the erasure of its reader', async () => {
    await take(bounce(reader.verp, '5.1.1', `550 5.1.1 <${reader.email}>: no such user`));
    const { rows } = await sql<{ detail: string }>`
      select detail from suppressions where detail like '%no such user%'`.execute(db.database);
    expect(rows).toEqual([{ detail: 'userunknown 550 5.1.1: 550 5.1.1 <…>: no such user' }]);
  });

  test('that may pass is only noted', async () => {
    expect(await take(bounce(reader.verp, '5.2.2', '552 5.2.2 Over quota'))).toMatchObject({ did: 'noted' });
    expect(await take(bounce(reader.verp, '5.7.1', '550 5.7.1 blocked by policy'))).toMatchObject({
      did: 'noted',
    });
    expect(await suppressedAs(reader.email)).toBeUndefined();
  });

  test('without our tag, or with another’s, is nobody’s word', async () => {
    for (const to of ['bounces@paperboy.example', `bounces+d${reader.digest}-0123456789@paperboy.example`])
      expect(await take(bounce(to, '5.1.1', '550 5.1.1 User unknown'))).toMatchObject({ did: 'not-ours' });
    expect(await suppressedAs(reader.email)).toBeUndefined();
    const told = await take(bounce('undisclosed', '5.1.1', '550 5.1.1 User unknown'), reader.verp);
    expect(told.did).toBe('suppressed');
  });

  test('of a confirmation suppresses the address it went to', async () => {
    const notice = {
      subscriberId: null,
      email: 'typo@example.org',
      language: 'en',
      notice: { kind: 'test' },
    } as const;
    const [id = 0] = await createNoticeStore({ database: db.database, now: () => SENT }).plan(
      db.database,
      [notice],
      SENT,
    );
    const verp = verpAddress('bounces@paperboy.example', bounceTag({ kind: 'notice', id }, KEY));
    expect(await take(bounce(verp, '5.1.1', '550 5.1.1 User unknown'))).toMatchObject({
      did: 'suppressed',
      about: `notice ${id}`,
    });
    expect(await suppressedAs('typo@example.org')).toBe('hard_bounce');
  });

  test('of a digest to an address that the reader has left since says nothing of the new one', async () => {
    await db.database
      .insertInto('events')
      .values({ subscriber_id: reader.id, kind: 'address-changed', at: new Date(SENT.getTime() + 1) })
      .execute();
    expect(await take(bounce(reader.verp, '5.1.1', '550 5.1.1 User unknown'))).toMatchObject({
      did: 'noted',
    });
    expect(await suppressedAs(reader.email)).toBeUndefined();
  });
});

test('a complaint suppresses and unsubscribes, without a goodbye', async () => {
  expect(await take(complaint(reader.verp))).toMatchObject({
    type: 'feedback',
    did: 'suppressed',
    detail: 'abuse',
  });
  expect(await suppressedAs(reader.email)).toBe('complaint');
  expect(await stateOf(reader.id)).toBe('unsubscribed');
  expect(await on.mailsTo(reader.email)).toEqual([]);
});

test('a report that is no complaint is noted', async () => {
  expect(await take(complaint(reader.verp, 'auth-failure'))).toMatchObject({ did: 'noted' });
  expect(await stateOf(reader.id)).toBe('active');
});

describe('a request to unsubscribe', () => {
  const request = (token: string) =>
    Buffer.from(
      `From: somebody@example.org\r\nTo: bounces@paperboy.example\r\nSubject: unsubscribe ${token}\r\n\r\n`,
    );

  test('needs the token of the mail’s header, and only that', async () => {
    const subject = { publicId: reader.publicId, epoch: reader.epoch };
    for (const token of [on.tokens.sign('preferences', subject), 'x'.repeat(55)])
      expect(await take(request(token))).toMatchObject({ type: 'unsubscribe', did: 'not-ours' });
    expect(await stateOf(reader.id)).toBe('active');
    // What assembleMessage puts into the subject of the mailto: the end of the https link.
    const { oneClick } = on.links.linksOf({ publicId: reader.publicId, linkEpoch: reader.epoch });
    const token = oneClick.slice(oneClick.lastIndexOf('/') + 1);
    for (let time = 0; time < 2; time++)
      expect(await take(request(token))).toEqual({ type: 'unsubscribe', did: 'unsubscribed' });
    expect(await stateOf(reader.id)).toBe('unsubscribed');
    expect((await on.mailsTo(reader.email)).map(({ kind }) => kind)).toEqual(['goodbye']);
  });

  test('with a link that was revoked does nothing', async () => {
    const token = on.tokens.sign('one-click', { publicId: reader.publicId, epoch: reader.epoch });
    await on.subscribers.revoke({ publicId: reader.publicId }, 'links', visit);
    expect(await take(request(token))).toMatchObject({ did: 'not-ours', detail: 'revoked' });
    expect(await stateOf(reader.id)).toBe('active');
  });
});

test('an absence note changes nothing', async () => {
  const note = Buffer.from(
    `From: ${reader.email}\r\nTo: ${reader.verp}\r\nSubject: Automatic reply: Papers\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday; address unknown.`,
  );
  expect(await take(note)).toEqual({ type: 'auto-reply', did: 'noted' });
  expect(await suppressedAs(reader.email)).toBeUndefined();
});
