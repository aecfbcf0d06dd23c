import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from '#src/database/database.ts';
import { isoDate, type SubscriberId } from '#src/database/ids.ts';
import { claimDue, setNextDigestAt } from '#src/subscribers/due-store.ts';
import { addRequests } from '#src/subscribers/request-inbox-store.ts';
import { findSubscriber, recipientsByIds } from '#src/subscribers/subscriber-store.ts';
import { DEFAULT_CAPS } from '#src/subscribers/work-off-requests.ts';
import { createTopicStore } from '#src/topics/topic-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { createTestSubscribers, settling, visit } from '#test/support/subscribers.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await createTopicStore({ database: db.database }).syncCatalogue();
});
afterAll(() => db.destroy());

const open = (overrides = {}) => createTestSubscribers(db.database, overrides);
type Room = ReturnType<typeof open>;

const request = (room: Room, email: string, choices = {}, from = visit) =>
  settling(room.subscribers).requestSubscription({ email, choices, visit: from });

async function tokenFor(room: Room, email: string): Promise<string> {
  const mail = (await room.mailsTo(email)).findLast((notice) => notice.kind === 'confirm');
  if (mail?.kind !== 'confirm') throw new Error(`no confirmation for ${email}`);
  return room.tokens.confirmation('subscribe', mail.confirmationId);
}

async function subscribe(room: Room, email: string, choices = {}) {
  await request(room, email, choices, { ...visit, ip: `192.0.2.${Math.ceil(Math.random() * 250)}` });
  const outcome = await room.subscribers.confirm(await tokenFor(room, email), visit);
  if (outcome.type !== 'confirmed') throw new Error(outcome.type);
  return {
    ...outcome.subscriber,
    who: { publicId: outcome.subscriber.publicId, epoch: outcome.subscriber.linkEpoch },
  };
}

const eventsOf = async (id: SubscriberId) =>
  (
    await db.database
      .selectFrom('events')
      .select('kind')
      .where('subscriber_id', '=', id)
      .orderBy('id')
      .execute()
  ).map((row) => row.kind);

const waitingForLock = async (database: Database) =>
  (
    await database
      .selectFrom(sql<{ state: string }>`pg_stat_activity`.as('activity'))
      .select('state')
      .where(sql<boolean>`wait_event_type = 'Lock' and datname = current_database()`)
      .execute()
  ).length;

describe('subscribing', () => {
  it('asks by mail, confirms once, plans the first digest and knows the next', async () => {
    const room = open();
    expect(await request(room, 'Ada@Example.org', { timezone: 'Europe/Berlin' })).toEqual({
      type: 'accepted',
    });
    expect(room.enqueued).toHaveLength(1);
    const token = await tokenFor(room, 'Ada@example.org');
    expect(await room.subscribers.viewConfirmation(token)).toMatchObject({
      type: 'open',
      purpose: 'subscribe',
    });
    const outcome = await room.subscribers.confirm(token, visit);
    expect(outcome).toMatchObject({
      type: 'confirmed',
      first: true,
      choseAlready: false,
      // The first digest waits a quarter of an hour for topics to be chosen.
      subscriber: { state: 'active', timezone: 'Europe/Berlin', welcomeDue: true },
    });
    if (outcome.type !== 'confirmed') throw new Error(outcome.type);
    expect(outcome.subscriber.nextDigestAt).toEqual(new Date(room.clock.now.getTime() + 15 * 60_000));
    expect(room.welcomed).toEqual([]);
    const { publicId, linkEpoch } = outcome.subscriber;
    await room.subscribers.updatePreferences({ publicId, epoch: linkEpoch }, {}, visit);
    expect(room.welcomed).toEqual([outcome.subscriber.id]);
    expect(await room.subscribers.confirm(token, visit)).toEqual({ type: 'used' });
    const stored = await db.database
      .selectFrom('confirmations')
      .selectAll()
      .where('subscriber_id', '=', room.welcomed[0] as number)
      .execute();
    expect(JSON.stringify(stored)).not.toContain(token);
    expect(await eventsOf(room.welcomed[0] as SubscriberId)).toEqual(['requested', 'confirmed']);
  });

  it('knows no token that was made up, and none past its time', async () => {
    const room = open();
    await request(room, 'late@example.org');
    const token = await tokenFor(room, 'late@example.org');
    expect(await room.subscribers.confirm('x'.repeat(43), visit)).toEqual({ type: 'unknown' });
    expect(await room.subscribers.confirm("'; drop table", visit)).toEqual({ type: 'unknown' });
    room.clock.now = new Date(room.clock.now.getTime() + 48 * 3_600_000);
    expect(await room.subscribers.confirm(token, visit)).toEqual({ type: 'expired' });
    expect(room.welcomed).toEqual([]);
  });

  it('answers alike for new, pending, active and suppressed addresses, and mails the suppressed nothing', async () => {
    const room = open();
    await subscribe(room, 'active@example.org');
    await room.suppressions.add(db.database, 'bounced@example.org', 'hard_bounce', room.clock.now);
    const answers = await Promise.all(
      ['new@example.org', 'active@example.org', 'bounced@example.org', 'new@example.org'].map((email) =>
        request(room, email),
      ),
    );
    expect(new Set(answers.map((answer) => answer.type))).toEqual(new Set(['accepted']));
    expect(await room.mailsTo('bounced@example.org')).toEqual([]);
    expect((await room.mailsTo('new@example.org')).map((mail) => mail.kind)).toEqual(['confirm', 'confirm']);
    const again = await room.subscribers.confirm(await tokenFor(room, 'active@example.org'), visit);
    expect(again).toMatchObject({ type: 'confirmed', first: false });
    await request(room, 'active@example.org', { follows: [{ kind: 'category', value: 'cs.CL', weight: 1 }] });
    const followed = await room.subscribers.confirm(await tokenFor(room, 'active@example.org'), visit);
    if (followed.type !== 'confirmed') throw new Error(followed.type);
    expect((await room.subscribers.followsOf(followed.subscriber.id)).follows).toHaveLength(1);
    expect(room.welcomed).toEqual([]);
  });

  it('stops mailing at each cap, and still answers the same', async () => {
    const room = open({ caps: { perAddressAndDay: 2, perIpAndHour: 4, overallPerHour: 1_000_000 } });
    room.clock.now = new Date('2026-07-01T09:00Z');
    const from = { ip: '2001:db8:1:2:3::9', userAgent: 'bomb' };
    for (let i = 0; i < 3; i++)
      expect(await request(room, 'victim@example.org', {}, from)).toEqual({ type: 'accepted' });
    expect(await room.mailsTo('victim@example.org')).toHaveLength(2);
    // Another address of the same /64 is the same visitor.
    const neighbour = { ...from, ip: '2001:db8:1:2:ffff::1' };
    await Promise.all(
      ['a', 'b', 'c'].map((name) => request(room, `${name}.bomb@example.org`, {}, neighbour)),
    );
    const mails = await Promise.all(['a', 'b', 'c'].map((name) => room.mailsTo(`${name}.bomb@example.org`)));
    expect(mails.flat()).toHaveLength(1);
    const counts = await db.database.selectFrom('request_counts').select('key').execute();
    expect(JSON.stringify(counts)).not.toContain('victim');
  });

  it('takes many at once in two processes, each address once, its mails within the cap', async () => {
    const rooms = [open(), open()] as const;
    const emails = Array.from({ length: 40 }, (_, i) => `crowd${i}@example.org`);
    // Every address six times, half of them in each process, which work them off side by side.
    const asked = Array.from({ length: 6 }, () => emails).flat();
    await Promise.all(
      asked.map((email, i) =>
        request(rooms[i < asked.length / 2 ? 0 : 1], email, {}, { ip: `192.0.2.${i}`, userAgent: 'crowd' }),
      ),
    );
    // Some of one process may have been taken by the other, which is not at its end yet.
    await Promise.all(rooms.map((room) => room.subscribers.requestsSettled()));
    const readers = await db.database
      .selectFrom('subscribers')
      .select('email')
      .where('email', 'like', 'crowd%')
      .execute();
    expect(readers.map(({ email }) => String(email)).toSorted()).toEqual(emails.toSorted());
    const mails = await Promise.all(emails.map((email) => rooms[0].mailsTo(email)));
    expect(new Set(mails.map((mine) => mine.length))).toEqual(new Set([DEFAULT_CAPS.perAddressAndDay]));
  });

  it('finds a reader whom another process makes at the same moment', async () => {
    const room = open();
    const from = { ...visit, ip: '198.51.100.7' };
    let asked: Promise<unknown> = Promise.resolve();
    await db.database.transaction().execute(async (other) => {
      const [email, email_key] = ['race@example.org', 'race@example.org'];
      await other.insertInto('subscribers').values({ email, email_key, state: 'pending' }).execute();
      asked = Promise.all([
        request(room, email, {}, from),
        request(room, email, {}, from),
        request(room, 'beside@example.org', {}, from),
      ]);
      await expect.poll(() => waitingForLock(db.database)).toBe(1);
    });
    await asked;
    const reader = await findSubscriber(db.database, { emailKey: 'race@example.org' });
    expect(await eventsOf(reader?.id as SubscriberId)).toEqual(['requested', 'requested']);
    expect(await room.mailsTo('race@example.org')).toHaveLength(2);
    expect(await room.mailsTo('beside@example.org')).toHaveLength(1);
    expect(room.enqueued).toHaveLength(3);
  });

  it('refuses what is no address, before anything is stored', async () => {
    const room = open();
    for (const bad of [
      '',
      'x',
      'a@b',
      'a b@example.org',
      'a@example.org\r\nBcc: b@example.org',
      '"q"@example.org',
    ])
      expect(await request(room, bad)).toMatchObject({ type: 'refused' });
    expect(await request(room, 'δοκιμή@παράδειγμα.gr')).toEqual({ type: 'accepted' });
    expect(await room.mailsTo('δοκιμή@xn--hxajbheg2az3al.gr')).toHaveLength(1);
  });

  it('rejects every waiting request when the inbox is out of reach', async () => {
    const room = createTestSubscribers(openDatabase('postgres://nobody@127.0.0.1:1/none'));
    const settled = await Promise.allSettled([
      request(room, 'one@x.example'),
      request(room, 'two@x.example'),
    ]);
    expect(settled.map((result) => result.status)).toEqual(['rejected', 'rejected']);
  });

  it('loses no request that it accepted: what failed, or was left behind, is worked off later', async () => {
    let broken = true;
    const working = open();
    const failing = open({
      suppressions: {
        ...working.suppressions,
        among: async (tx: never, keys: string[]) => {
          if (broken) throw new Error('connection lost');
          return working.suppressions.among(tx, keys);
        },
      },
    });
    const inbox = async () => {
      const rows = await db.database
        .selectFrom('subscription_requests')
        .select('email')
        .orderBy('id')
        .execute();
      return rows.map(({ email }) => email);
    };
    expect(await request(failing, 'Kept@x.example')).toEqual({ type: 'accepted' });
    expect(await request(failing, 'too@x.example')).toEqual({ type: 'accepted' });
    expect(await inbox()).toEqual(['Kept@x.example', 'too@x.example']);
    expect(await findSubscriber(db.database, { emailKey: 'kept@x.example' })).toBeUndefined();
    await expect(failing.subscribers.goOnWithRequests()).rejects.toThrow('connection lost');
    broken = false;
    failing.clock.now = new Date(failing.clock.now.getTime() + 60_000);
    await failing.subscribers.goOnWithRequests();
    expect(await inbox()).toEqual([]);
    expect(await failing.mailsTo('Kept@x.example')).toHaveLength(1);
    expect(await failing.mailsTo('too@x.example')).toHaveLength(1);
    // The record of the consent tells when it was given.
    const reader = await findSubscriber(db.database, { emailKey: 'kept@x.example' });
    const { at } = await db.database
      .selectFrom('events')
      .select('at')
      .where('subscriber_id', '=', reader?.id as SubscriberId)
      .executeTakeFirstOrThrow();
    expect(at).toEqual(new Date('2026-06-05T09:00Z'));
  });

  it('goes on behind the first fifty by itself', async () => {
    const room = open();
    const left = Array.from({ length: 51 }, (_, i) => ({
      address: { email: `left${i}@x.example`, key: `left${i}@x.example` },
      choices: {},
      visit: { ip: `198.51.100.${i}`, userAgent: null },
      requestedAt: room.clock.now,
    }));
    await addRequests(db.database, left);
    await room.subscribers.goOnWithRequests();
    await room.subscribers.requestsSettled();
    expect(room.enqueued).toHaveLength(51);
  });

  it('does not need the queue to accept a request: the mail is in the database', async () => {
    const room = open({
      enqueueNotices: async () => {
        throw new Error('queue out of reach');
      },
    });
    expect(await request(room, 'queue@x.example')).toEqual({ type: 'accepted' });
    expect(await room.mailsTo('queue@x.example')).toHaveLength(1);
  });
});

describe('a reader', () => {
  it('changes preferences; the slot follows the schedule, a mail tells of it once a day', async () => {
    const room = open();
    const reader = await subscribe(room, 'prefs@example.org');
    const change = (hour: number) =>
      room.subscribers.updatePreferences(
        reader.who,
        { preferences: { hour, timezone: 'Asia/Tokyo' } },
        visit,
      );
    expect(await change(6)).toEqual({ type: 'saved' });
    const stored = await findSubscriber(db.database, { id: reader.id });
    expect(stored).toMatchObject({ hour: 6, nextDigestAt: new Date('2026-06-05T21:00Z') });
    const kinds = async () => (await room.mailsTo('prefs@example.org')).map((mail) => mail.kind);
    expect(await kinds()).not.toContain('preferences-changed');
    room.clock.now = new Date('2026-06-08T09:00Z');
    await change(7);
    await change(8);
    expect((await kinds()).filter((kind) => kind === 'preferences-changed')).toHaveLength(1);
  });

  it('replaces follows, mutes a topic, and takes it back', async () => {
    const room = open();
    const reader = await subscribe(room, 'topics@example.org', {
      follows: [{ kind: 'category', value: 'cs.CL', weight: 1 }],
    });
    expect((await room.subscribers.followsOf(reader.id)).follows).toHaveLength(1);
    const follows = [{ kind: 'query', value: 'diffusion', weight: 2 } as const];
    await room.subscribers.updatePreferences(reader.who, { follows }, visit);
    await room.subscribers.changeTopic(reader.who, { kind: 'category', value: 'cs.RO' }, 'mute', visit);
    expect(await room.subscribers.followsOf(reader.id)).toEqual({
      follows,
      mutes: [{ kind: 'category', value: 'cs.RO', weight: -1 }],
    });
    await room.subscribers.changeTopic(reader.who, { kind: 'category', value: 'cs.RO' }, 'unfollow', visit);
    expect((await room.subscribers.followsOf(reader.id)).mutes).toEqual([]);
  });

  it('pauses until a date and is woken on it, in the own zone', async () => {
    const room = open();
    const reader = await subscribe(room, 'pause@example.org', { timezone: 'America/New_York' });
    const until = isoDate('2026-06-10');
    expect(await room.subscribers.pause(reader.who, isoDate('2026-06-05'), visit)).toEqual({
      type: 'date-passed',
    });
    expect(await room.subscribers.pause(reader.who, until, visit)).toEqual({ type: 'paused' });
    // 02:00 UTC on the 10th is still the 9th in New York.
    room.clock.now = new Date('2026-06-10T02:00Z');
    expect((await room.subscribers.upkeep()).resumed).toBe(0);
    room.clock.now = new Date('2026-06-10T12:00Z');
    expect((await room.subscribers.upkeep()).resumed).toBe(1);
    const stored = await findSubscriber(db.database, { id: reader.id });
    // The slot of the 10th (11:00 UTC) has just passed and still counts.
    expect(stored).toMatchObject({ state: 'active', nextDigestAt: new Date('2026-06-10T11:00Z') });
    const kinds = (await room.mailsTo('pause@example.org')).map((mail) => mail.kind);
    expect(kinds).toEqual(['confirm', 'paused', 'resumed']);
  });

  it('leaves idempotently, undoes it, and can come back by confirming', async () => {
    const room = open();
    const reader = await subscribe(room, 'leave@example.org');
    for (let i = 0; i < 3; i++)
      expect(await room.subscribers.unsubscribe(reader.who, 'one-click', visit)).toEqual({ type: 'done' });
    expect(await findSubscriber(db.database, { id: reader.id })).toMatchObject({
      state: 'unsubscribed',
      nextDigestAt: null,
    });
    const goodbyes = (await room.mailsTo('leave@example.org')).filter((mail) => mail.kind === 'goodbye');
    expect(goodbyes).toHaveLength(1);
    expect(await room.subscribers.undoUnsubscribe(reader.who, visit)).toEqual({ type: 'done' });
    expect((await findSubscriber(db.database, { id: reader.id }))?.state).toBe('active');
    await room.subscribers.unsubscribe(reader.who, 'page', visit);
    await request(room, 'leave@example.org');
    const back = await room.subscribers.confirm(await tokenFor(room, 'leave@example.org'), visit);
    expect(back).toMatchObject({
      type: 'confirmed',
      first: true,
      subscriber: { id: reader.id, state: 'active' },
    });
  });

  it('moves to another address only when both agree, and old links die', async () => {
    const room = open();
    const reader = await subscribe(room, 'old@example.org');
    const other = await subscribe(room, 'new@moved.example');
    expect(await room.subscribers.changeAddress(reader.who, 'New@Moved.example', visit)).toEqual({
      type: 'accepted',
    });
    const tokenIn = async (email: string) => {
      const mail = (await room.mailsTo(email)).findLast((notice) => 'confirmationId' in notice);
      if (!mail || !('confirmationId' in mail)) throw new Error('no mail');
      return room.tokens.confirmation('change-address', mail.confirmationId);
    };
    const first = await room.subscribers.confirm(await tokenIn('New@moved.example'), visit);
    expect(first.type).toBe('address-agreed');
    expect((await findSubscriber(db.database, { id: reader.id }))?.email).toBe('old@example.org');
    const second = await room.subscribers.confirm(await tokenIn('old@example.org'), visit);
    expect(second).toMatchObject({ type: 'address-changed', subscriber: { email: 'New@moved.example' } });
    expect(await room.subscribers.find(reader.who)).toEqual({ type: 'revoked' });
    expect(await room.subscribers.find(other.who)).toEqual({ type: 'unknown' });
    expect((await room.mailsTo('old@example.org')).at(-1)).toEqual({ kind: 'address-changed', done: true });
  });

  it('is erased: no address, no link, no import brings it back', async () => {
    const room = open();
    const reader = await subscribe(room, 'gone@example.org');
    await room.subscribers.erase(reader.who, visit);
    expect(await room.subscribers.find(reader.who)).toEqual({ type: 'unknown' });
    for (const table of ['subscribers', 'notices', 'events', 'confirmations', 'suppressions'] as const) {
      const rows = await db.database.selectFrom(table).selectAll().execute();
      expect(JSON.stringify(rows)).not.toContain('gone@');
    }
    const line = {
      address: { email: 'gone@example.org', key: 'gone@example.org' },
      timezone: 'UTC',
      hour: 7,
    };
    const report = await room.subscribers.addSubscribers(
      [{ ...line, frequency: 'daily', follows: [] }],
      'a list',
    );
    expect(report).toEqual({ added: [], exists: [], suppressed: ['gone@example.org'] });
    await request(room, 'gone@example.org');
    expect((await room.subscribers.confirm(await tokenFor(room, 'gone@example.org'), visit)).type).toBe(
      'confirmed',
    );
  });

  it('gives feedback on papers that exist, and takes it back', async () => {
    const room = open();
    const reader = await subscribe(room, 'feedback@example.org');
    const paper = await db.database
      .insertInto('papers')
      .values({ identity: 'arxiv:2606.00001', title: 'T', abstract: 'A' })
      .returning('id')
      .executeTakeFirstOrThrow();
    const id = paper.id as Parameters<typeof room.subscribers.giveFeedback>[1];
    expect(await room.subscribers.giveFeedback(reader.who, id, 'more', visit)).toEqual({ type: 'done' });
    expect(await room.subscribers.giveFeedback(reader.who, id, 'less', visit)).toEqual({ type: 'done' });
    expect(await room.subscribers.feedbackOf(reader.id)).toEqual({ likes: [], dislikes: [id], notNow: [] });
    const unknown = (id + 99) as typeof id;
    expect(await room.subscribers.giveFeedback(reader.who, unknown, 'more', visit)).toEqual({
      type: 'unknown-paper',
    });
    await room.subscribers.forgetFeedback(reader.who, undefined, visit);
    expect((await room.subscribers.feedbackOf(reader.id)).dislikes).toEqual([]);
  });
});

describe('planning', () => {
  it('leaves a reader paused who pauses while a planner has their turn', async () => {
    const room = open();
    const reader = await subscribe(room, 'meanwhile@example.org');
    const pausing = await db.database.transaction().execute(async (tx) => {
      const due = await claimDue(tx, new Date('2100-01-01T00:00Z'), 10_000);
      expect(due.map((one) => one.id)).toContain(reader.id);
      const pausing = room.subscribers.pause(reader.who, null, visit);
      await vi.waitFor(async () => {
        const { rows } = await sql`select from pg_locks where not granted`.execute(db.database);
        expect(rows).toHaveLength(1);
      });
      await setNextDigestAt(tx, [{ id: reader.id, nextDigestAt: new Date('2100-01-02T00:00Z') }]);
      return { outcome: pausing };
    });
    expect(await pausing.outcome).toEqual({ type: 'paused' });
    expect(await findSubscriber(db.database, { id: reader.id })).toMatchObject({
      state: 'paused',
      nextDigestAt: null,
    });
  });

  it('claims who is due, once, and moves them on', async () => {
    const room = open();
    room.clock.now = new Date('2027-01-01T00:00Z');
    const lines = Array.from({ length: 30 }, (_, i) => ({
      address: { email: `due${i}@many.example`, key: `due${i}@many.example` },
      timezone: 'UTC',
      hour: i % 24,
      frequency: 'daily' as const,
      follows: [],
    }));
    const { added } = await room.subscribers.addSubscribers(lines, 'test');
    const mine = new Set<number>(added.map((one) => one.id));
    const now = new Date('2027-01-01T12:00Z');
    const claimed = await db.database.transaction().execute(async (tx) => {
      const first = await claimDue(tx, now, 1000);
      const second = await db.database.transaction().execute((other) => claimDue(other, now, 1000));
      expect(second).toEqual([]);
      await setNextDigestAt(
        tx,
        first.map(({ id }) => ({ id, nextDigestAt: new Date('2027-01-02T00:00Z') })),
      );
      return first;
    });
    // Hours 1 … 12 of both rounds (0 o'clock itself is not after the instant of adding).
    expect(claimed.filter((one) => mine.has(one.id))).toHaveLength(17);
    const recipients = await recipientsByIds(
      db.database,
      added.map((one) => one.id),
    );
    expect(recipients.size).toBe(30);
  });
});
