import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInbound } from '#src/mail/inbound/inbound-mail.ts';
import { type Inbound, readInbound, tagPlaces } from '#src/mail/inbound/read-inbound.ts';
import { bounceTag, parseBounceTag, verpAddress } from '#src/mail/sender.ts';
import { type ExpectedBounce, hasBounces, realBounces } from '#test/support/bounce-set.ts';
import { hostileText } from '#test/support/hostile-text.ts';
import { sender } from '#test/support/mail-samples.ts';

const TAG = bounceTag({ kind: 'digest', id: 123 }, sender.key);
const VERP = verpAddress('bounces@paperboy.example', TAG);

const read = async (text: string) =>
  readInbound(await parseInbound(Buffer.from(text.replaceAll('\n', '\r\n'))));

/** A report of RFC 3464 with one recipient. */
const report = (fields: string, words = 'Your mail was not delivered.') => `From: MAILER-DAEMON@mx.example.net
To: ${VERP}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

${words}

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; reader@example.org
${fields}

--b
Content-Type: text/rfc822-headers

Return-Path: <${VERP}>
Subject: Papers

--b--
`;

describe('a bounce', () => {
  test.each<[string, string, Partial<Record<'status' | 'replyCode' | 'reason' | 'hard', unknown>>]>([
    [
      'an unknown user',
      'Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown',
      { status: '5.1.1', replyCode: 550, reason: 'userunknown', hard: true },
    ],
    [
      'a full mailbox',
      'Action: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 Over quota',
      { status: '5.2.2', replyCode: 552, reason: 'mailboxfull', hard: false },
    ],
    [
      'the remote code before the report’s own',
      'Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1 <reader@example.org>: no\n such user here',
      { status: '5.1.1', reason: 'userunknown', hard: true },
    ],
    [
      'a code alone',
      'Action: failed\nStatus: 5.1.2',
      { status: '5.1.2', replyCode: null, reason: 'hostunknown', hard: true },
    ],
    [
      'a null MX',
      'Action: failed\nStatus: 5.1.10\nDiagnostic-Code: smtp; 556 5.1.10 Recipient address has null MX',
      { reason: 'notaccept', hard: true },
    ],
    [
      'a delay, which is never hard',
      'Action: delayed\nStatus: 4.1.1\nDiagnostic-Code: smtp; 450 4.1.1 User unknown, try later',
      { reason: 'userunknown', hard: false },
    ],
    [
      'a temporary failure that became final',
      'Action: failed\nStatus: 4.4.7\nDiagnostic-Code: smtp; 421 timed out',
      { status: '4.4.7', reason: 'expired', hard: false },
    ],
    [
      'a judgement of the message',
      'Action: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.7.1 message looks like spam',
      { reason: 'spamdetected', hard: false },
    ],
    [
      'a sender who is unknown, which says nothing of the reader',
      'Action: failed\nStatus: 5.1.8\nDiagnostic-Code: smtp; 553 5.1.8 Domain of sender address digest@paperboy.example does not exist',
      { reason: 'rejected', hard: false },
    ],
    [
      'DMARC',
      'Action: failed\nStatus: 5.7.26\nDiagnostic-Code: smtp; 550 5.7.26 unauthenticated mail is not accepted due to DMARC policy',
      { reason: 'authfailure', hard: false },
    ],
  ])('%s', async (_, fields, expected) => {
    const inbound = await read(report(fields));
    expect(inbound.type).toBe('bounce');
    if (inbound.type === 'bounce')
      expect(inbound.bounces).toEqual([
        expect.objectContaining({ recipient: 'reader@example.org', ...expected }),
      ]);
  });

  test('two recipients are two', async () => {
    const inbound = await read(
      report(
        'Action: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; other@example.org\nAction: failed\nStatus: 5.2.2',
      ),
    );
    expect(
      inbound.type === 'bounce' && inbound.bounces.map(({ recipient, hard }) => [recipient, hard]),
    ).toEqual([
      ['reader@example.org', true],
      ['other@example.org', false],
    ]);
  });

  test('a report of a delivery is none', async () => {
    expect((await read(report('Action: relayed\nStatus: 2.0.0'))).type).not.toBe('bounce');
  });

  test.each([
    [
      'Exim',
      '\nA message that you sent could not be delivered to one of its recipients. The following address failed:\n\n  reader@example.org\n    host mx.example.org [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<reader@example.org>:\n    550 no such user\n\n------ This is a copy of the message, including all the headers. ------\n\nReceived: from x\nSubject: 554 5.2.2 mailbox full\n',
    ],
    [
      'qmail',
      '\nHi. I was not able to deliver your message to the following addresses.\n\n<reader@example.org>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 unknown user\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <x@example.org>\n',
    ],
  ])('in the words of %s', async (_, body) => {
    const inbound = await read(
      `From: Mail Delivery System <mailer-daemon@mx.example.net>\nTo: ${VERP}\nSubject: Mail delivery failed: returning message to sender\nAuto-Submitted: auto-replied\n${body}`,
    );
    expect(inbound.type === 'bounce' && inbound.bounces).toEqual([
      expect.objectContaining({
        recipient: 'reader@example.org',
        replyCode: 550,
        reason: 'userunknown',
        hard: true,
      }),
    ]);
  });
});

describe('what is no bounce', () => {
  test.each<[string, string, Inbound['type']]>([
    [
      'an absence note',
      'Return-Path: <>\nFrom: Reader <reader@example.org>\nSubject: Automatic reply: Papers\nAuto-Submitted: auto-replied\n\nI cannot answer, mails are not delivered to me until Monday. Error 550.',
      'auto-reply',
    ],
    [
      'an absence note without headers',
      'From: Reader <reader@example.org>\nSubject: Abwesenheitsnotiz\n\nIch bin ab Montag zurück.',
      'auto-reply',
    ],
    [
      'another automatic answer',
      'From: Desk <desk@example.org>\nSubject: We got your request\nAuto-Submitted: auto-generated\n\nTicket 550 was opened.',
      'auto-reply',
    ],
    [
      'a person who asks about a delivery',
      'From: Reader <reader@example.org>\nSubject: Re: Papers\n\nYesterday’s mail was not delivered. Did something fail?',
      'other',
    ],
    ['nothing', '', 'other'],
  ])('%s', async (_, text, type) => expect((await read(text)).type).toBe(type));
});

test('a complaint names our envelope sender', async () => {
  const mail = await parseInbound(
    Buffer.from(
      [
        'From: fbl@provider.example',
        'Subject: complaint',
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type=feedback-report; boundary=b',
        '',
        '--b',
        'Content-Type: message/feedback-report',
        '',
        'Feedback-Type: abuse',
        'User-Agent: x/1',
        'Version: 1',
        `Original-Mail-From: <${VERP}>`,
        '',
        '--b',
        'Content-Type: message/rfc822',
        '',
        'Subject: Papers',
        '',
        'x',
        '--b--',
        '',
      ].join('\r\n'),
    ),
  );
  const inbound = readInbound(mail);
  expect(inbound).toMatchObject({ type: 'feedback', feedback: { type: 'abuse', recipients: [null] } });
  const tags = tagPlaces(mail, inbound).flatMap((place) => parseBounceTag(place, sender.key) ?? []);
  expect(tags).toEqual([{ kind: 'digest', id: 123 }]);
});

test('the tag is found where the mail was delivered or returned', async () => {
  const mail = await parseInbound(Buffer.from(report('Action: failed\nStatus: 5.1.1')));
  const tags = tagPlaces(mail, readInbound(mail)).flatMap((place) => parseBounceTag(place, sender.key) ?? []);
  expect(tags).toEqual([
    { kind: 'digest', id: 123 },
    { kind: 'digest', id: 123 },
  ]);
});

test('an unsubscribe request carries a token of 55 characters, and nothing else will do', async () => {
  const token = 'A'.repeat(55);
  expect(await read(`From: r@example.org\nSubject: unsubscribe ${token}\n\n`)).toEqual({
    type: 'unsubscribe',
    token,
  });
  expect((await read('From: r@example.org\nSubject: unsubscribe\n\nplease')).type).toBe('other');
});

test('whatever comes, it is read and one line is said of it', async () => {
  await fc.assert(
    fc.asyncProperty(hostileText(), hostileText(), hostileText(), async (head, subject, body) => {
      const raw = Buffer.from(
        `From: MAILER-DAEMON\r\nSubject: ${subject}\r\n${head}\r\n\r\n${body}\r\nFinal-Recipient: ${head}\r\nAction: failed\r\n`,
      );
      const inbound = readInbound(await parseInbound(raw));
      if (inbound.type === 'bounce')
        for (const { diagnostic } of inbound.bounces) expect(diagnostic.length).toBeLessThanOrEqual(500);
    }),
    { numRuns: 200 },
  );
});

/** Statuses x.0.9nn are Sisimai's own, made from the reason: no report holds them. */
const INVENTED = /\.0\.9\d\d$/;

describe.skipIf(!hasBounces)(
  `the set of real bounces${hasBounces ? '' : ' (skipped: no shared data beside the project)'}`,
  () => {
    test('is read as expected, but for few', async () => {
      const score = { all: 0, count: 0, status: 0, replyCode: 0, reason: 0, hard: 0 };
      const mails = realBounces();
      for (const { raw, expected } of mails) {
        const found = flatten(readInbound(await parseInbound(raw)));
        if (found.length === expected.length) score.count += 1;
        for (const [index, wanted] of expected.entries()) {
          const got = found[index];
          score.all += 1;
          if (got?.status === wanted.status || INVENTED.test(wanted.status)) score.status += 1;
          if (got?.replycode === wanted.replycode) score.replyCode += 1;
          if (got?.reason === wanted.reason && got.feedback === wanted.feedback) score.reason += 1;
          if (got?.hardbounce === wanted.hardbounce) score.hard += 1;
        }
      }
      expect(score.count / mails.length).toBeGreaterThan(0.97);
      for (const right of [score.status, score.replyCode, score.hard])
        expect(right / score.all, JSON.stringify(score)).toBeGreaterThan(0.93);
      expect(score.reason / score.all).toBeGreaterThan(0.85);
    });
  },
);

function flatten(inbound: Inbound): readonly ExpectedBounce[] {
  if (inbound.type === 'feedback')
    return inbound.feedback.recipients.map(() => ({
      status: '',
      replycode: '',
      reason: 'feedback',
      hardbounce: false,
      feedback: inbound.feedback.type,
    }));
  if (inbound.type !== 'bounce') return [];
  return inbound.bounces.map(({ status, replyCode, reason, hard }) => ({
    status: status ?? '',
    replycode: String(replyCode ?? ''),
    reason,
    hardbounce: hard,
  }));
}
