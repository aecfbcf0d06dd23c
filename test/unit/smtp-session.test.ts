import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentOf } from '#src/mail/content.ts';
import type { SendOutcome } from '#src/mail/message.ts';
import type { JobResult, SmtpJob } from '#src/mail/smtp-job.ts';
import { createReplyParser } from '#src/mail/smtp-reply.ts';
import { createSmtpSession } from '#src/mail/smtp-session.ts';
import { RFC_TIMEOUTS } from '#src/mail/smtp-timeouts.ts';
import { endOfData, parseExtensions, stuffDots, wireOctets } from '#src/mail/smtp-wire.ts';

/** What the simulated server does next. */
const action = fc.oneof(
  { weight: 14, arbitrary: fc.constant('ok' as const) },
  { weight: 1, arbitrary: fc.constantFrom('4xx' as const, '5xx' as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('421' as const, 'drop' as const, 'garbage' as const, 'cut' as const),
  },
);
type Action = 'ok' | '4xx' | '5xx' | '421' | 'drop' | 'garbage' | 'cut';

const scenario = fc.record({
  extensions: fc.subarray(['PIPELINING', 'CHUNKING', '8BITMIME', 'SIZE 1000000']),
  actions: fc.array(action, { maxLength: 60 }),
  bodies: fc.array(
    fc.array(fc.constantFrom('.', '..', 'text', '', '.\r\n.', 'x'.repeat(3_000)), { maxLength: 6 }),
    { minLength: 1, maxLength: 12 },
  ),
  /** Replies are cut into pieces of so many octets. */
  piece: fc.integer({ min: 1, max: 60 }),
  multiline: fc.boolean(),
  withdraw: fc.array(fc.nat(11), { maxLength: 2 }),
});

type Result = SendOutcome | { type: 'untouched'; reply: string };
/** Where there is no other relay. */
const resultOf = (result: JobResult): Result => (result.type === 'unfit' ? result.outcome : result);

/** A server that follows a script and remembers what it took responsibility for, octet for octet. */
function simulateServer(
  socket: Duplex,
  options: { actions: Action[]; piece: number; multiline: boolean; pipelining: boolean },
) {
  const accepted: string[] = [];
  let input = '';
  let sender = false;
  let recipient = false;
  let step = 0;
  let content: null | 'data' | number = null;
  let dead = false;
  const reply = (text: string) => {
    if (dead) return;
    for (let at = 0; at < text.length; at += options.piece)
      socket.write(text.slice(at, at + options.piece), 'latin1');
  };
  const end = () => {
    dead = true;
    socket.destroy();
  };
  const answer = (ok: string, onOk: () => void = () => undefined) => {
    const next = options.actions[step++] ?? 'ok';
    const [code = '', ...words] = ok.split(' ');
    const text = words.join(' ');
    switch (next) {
      case 'ok':
        onOk();
        return reply(
          options.multiline && code !== '354' ? `${code}-more\r\n${code} ${text}\r\n` : `${ok}\r\n`,
        );
      case '4xx':
        return reply('451 4.3.0 later\r\n');
      case '5xx':
        return reply('554 5.7.1 no\r\n');
      case '421':
        reply('421 4.3.2 closing\r\n');
        return end();
      case 'garbage':
        onOk();
        return reply('!?*\r\n');
      case 'cut':
        onOk();
        reply('25');
        return end();
      case 'drop':
        onOk();
        return end();
    }
  };
  const take = (raw: string) =>
    answer('250 2.0.0 queued', () => {
      // After a refused BDAT the transaction stays open (RFC 3030 section 2).
      sender = false;
      accepted.push(raw);
    });
  const read = (): boolean => {
    if (dead) return false;
    if (content === 'data') {
      const at = input.startsWith('.\r\n') ? 0 : input.indexOf('\r\n.\r\n') + 2;
      if (at === 1) return false;
      const raw = input.slice(0, at).replace(/(^|\r\n)\./g, '$1');
      input = input.slice(at + 3);
      content = null;
      sender = false;
      if (recipient) take(raw);
      else reply('554 5.5.1 no valid recipients\r\n');
      return true;
    }
    if (content !== null) {
      if (input.length < content) return false;
      const raw = input.slice(0, content);
      input = input.slice(content);
      content = null;
      if (recipient) take(raw);
      else reply('503 5.5.1 RCPT first\r\n');
      return true;
    }
    const at = input.indexOf('\r\n');
    if (at === -1) return false;
    const line = input.slice(0, at);
    input = input.slice(at + 2);
    command(line);
    return true;
  };
  const command = (line: string) => {
    const verb = line.slice(0, 4);
    if (verb === 'MAIL') {
      if (sender) return reply('503 5.5.1 nested MAIL\r\n');
      recipient = false;
      answer('250 2.1.0 Ok', () => {
        sender = true;
      });
    } else if (verb === 'RCPT') {
      if (!sender) return reply('503 5.5.1 MAIL first\r\n');
      answer('250 2.1.5 Ok', () => {
        recipient = true;
      });
    } else if (verb === 'DATA') {
      if (!recipient) return reply('554 5.5.1 no valid recipients\r\n');
      answer('354 go on', () => {
        content = 'data';
      });
    } else if (verb === 'BDAT') {
      content = Number(line.split(' ')[1]);
    } else if (verb === 'RSET') {
      sender = false;
      recipient = false;
      reply('250 2.0.0 Ok\r\n');
    } else if (verb === 'QUIT') {
      reply('221 2.0.0 Bye\r\n');
      end();
    } else {
      throw new Error(`the client said ${JSON.stringify(line)}`);
    }
  };
  socket.on('data', (chunk: Buffer) => {
    input += chunk.toString('latin1');
    while (read());
  });
  socket.on('error', () => undefined);
  return accepted;
}

describe('a session, whatever the server does', () => {
  test('says of every message once, and truly, what became of it; at most one is in doubt', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const [ours, theirs] = duplexPair();
        const accepted = simulateServer(theirs, {
          ...given,
          pipelining: given.extensions.includes('PIPELINING'),
        });
        const results: Result[][] = given.bodies.map(() => []);
        const begun = new Set<number>();
        const raws = given.bodies.map((lines, n) => `Message-ID: <${n}@x>\r\n\r\n${lines.join('\r\n')}`);
        const jobs = raws.map(
          (raw, n): SmtpJob => ({
            message: {
              envelope: { from: 'a@x.test', to: `b${n}@x.test` },
              messageId: `<${n}@x>`,
              content: contentOf(Buffer.from(raw)),
            },
            onContent: () => {
              if (given.withdraw.includes(n)) return false;
              expect(begun.has(n)).toBe(false);
              begun.add(n);
              return true;
            },
            done: (result) => void results[n]?.push(resultOf(result)),
          }),
        );
        const waiting = [...jobs];
        await new Promise<void>((resolve) => {
          const session = createSmtpSession({
            socket: ours as unknown as Socket,
            extensions: parseExtensions(given.extensions.join('\n')),
            timeouts: { ...RFC_TIMEOUTS, secondAnswer: 0 },
            maxMessages: 100,
            take: () => waiting.shift(),
            onIdle: () => void session.quit(),
            onClosed: () => {
              clearInterval(timer);
              resolve();
            },
          });
          const timer = setInterval(() => session.checkTime(performance.now()), 1);
          session.start(waiting.shift() as SmtpJob);
        });
        const given_ = jobs.length - waiting.length;
        const took = (n: number) => accepted.filter((raw) => raw.startsWith(`Message-ID: <${n}@x>`)).length;
        let unknown = 0;
        for (let n = 0; n < jobs.length; n++) {
          expect(results[n]).toHaveLength(n < given_ ? 1 : 0);
          const result = results[n]?.[0];
          if (!result) continue;
          seen.add(result.type);
          if (result.type === 'unknown') {
            unknown += 1;
            expect(begun.has(n)).toBe(true);
            expect(took(n)).toBeLessThanOrEqual(1);
          } else expect(took(n)).toBe(result.type === 'accepted' ? 1 : 0);
          if (result.type === 'untouched') expect(begun.has(n)).toBe(false);
        }
        expect(unknown).toBeLessThanOrEqual(1);
        // Octet for octet; DATA ends a content that has no line break with one (RFC 5321 section 4.1.1.4).
        for (const raw of accepted) {
          const n = Number(/<(\d+)@x>/.exec(raw)?.[1]);
          expect([raws[n], `${raws[n]}\r\n`]).toContain(raw);
        }
      }),
      { numRuns: 1_500 },
    );
    // The scenarios reach every kind of end.
    expect([...seen].sort()).toEqual([
      'accepted',
      'deferred',
      'rejected',
      'sender-rejected',
      'unknown',
      'untouched',
    ]);
  });
});

describe('replies', () => {
  test('are read whatever the pieces they come in', () => {
    const reply = fc.record({
      code: fc.integer({ min: 200, max: 599 }),
      lines: fc.array(fc.stringMatching(/^[ -~é]{0,40}$/), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(
        fc.array(reply, { maxLength: 6 }),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        (all, piece, lf) => {
          const wire = Buffer.from(
            all
              .map(({ code, lines }) =>
                lines
                  .map(
                    (text, i) => `${code}${i === lines.length - 1 ? ' ' : '-'}${text}${lf ? '\n' : '\r\n'}`,
                  )
                  .join(''),
              )
              .join(''),
            'latin1',
          );
          const parser = createReplyParser();
          const read = [];
          for (let at = 0; at < wire.length; at += piece) {
            const { replies, fault } = parser.push(wire.subarray(at, at + piece));
            expect(fault).toBeUndefined();
            read.push(...replies);
          }
          expect(read).toEqual(all.map(({ code, lines }) => ({ code, text: lines.join('\n') })));
        },
      ),
    );
  });

  test('that are none are a fault, and never crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const { replies } = createReplyParser().push(Buffer.from(octets));
        for (const reply of replies) expect(reply.code).toBeGreaterThanOrEqual(200);
      }),
    );
    expect(createReplyParser().push(Buffer.from('250-a\r\n550 b\r\n')).fault).toMatch(/changes its code/);
    expect(createReplyParser().push(Buffer.from(`250 ${'x'.repeat(9_000)}`)).fault).toBe(
      'a line without end',
    );
    const endless = Buffer.from(`250-${'x'.repeat(8_000)}\r\n`.repeat(2_200));
    expect(createReplyParser().push(endless).fault).toBe('a reply without end');
    expect(createReplyParser().push(Buffer.from('100 hello\r\n')).fault).toMatch(/not an SMTP reply/);
  });
});

test('what is written at once is the content, its end and the next commands, for as long as it is lent', () => {
  const lent: (() => void)[] = [];
  const body = fc.array(fc.constantFrom('.', 'text', '', 'x'.repeat(40_000)), { maxLength: 4 });
  fc.assert(
    fc.property(
      body,
      fc.boolean(),
      fc.boolean(),
      fc.string({ unit: 'grapheme' }),
      (lines, ended, chunking, next) => {
        const raw = Buffer.from(lines.join('\r\n') + (ended ? '\r\n' : ''));
        const envelope = { from: 'a@x.test', to: 'b@x.test' };
        const message = { envelope, messageId: '<1@x>', content: contentOf(raw) };
        const { octets, release } = wireOctets(message, chunking, next);
        const expected = chunking
          ? `BDAT ${raw.length} LAST\r\n${raw.toString()}${next}`
          : `${stuffDots(raw).toString()}${endOfData(raw)}${next}`;
        const check = () => expect(octets.equals(Buffer.from(expected))).toBe(true);
        check();
        // Up to three are on their way at once.
        lent.push(() => {
          check();
          release();
        });
        if (lent.length > 2) lent.splice(raw.length % 3, 1)[0]?.();
      },
    ),
  );
});

test('dot-stuffing is undone by a server’s reading, for any content of CRLF lines', () => {
  const line = fc.constantFrom('', '.', '..', '...', '.x', 'x.', 'text');
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.boolean(), (lines, ended) => {
      const raw = lines.join('\r\n') + (ended ? '\r\n' : '');
      const wire = stuffDots(Buffer.from(raw)).toString() + endOfData(Buffer.from(raw));
      const end = wire.startsWith('.\r\n') ? 0 : wire.indexOf('\r\n.\r\n') + 2;
      expect(end + 3).toBe(wire.length);
      const read = wire.slice(0, end).replace(/(^|\r\n)\./g, '$1');
      expect([raw, `${raw}\r\n`]).toContain(read);
    }),
  );
});

describe('a server that answers at the wrong moment', () => {
  /**
   * Plays one message against replies to its commands; answers what became of it.
   * @param early said as soon as the content begins, of which nothing is read for the moment
   */
  const play = (replies: (line: string) => string | undefined, early?: string, extensions = '') =>
    new Promise<Result>((resolve) => {
      const [ours, theirs] = duplexPair();
      const job: SmtpJob = {
        message: {
          envelope: { from: 'a@x.test', to: 'b@x.test' },
          messageId: '<1@x>',
          content: contentOf(Buffer.from(`Message-ID: <1@x>\r\n\r\n${'text\r\n'.repeat(20_000)}`)),
        },
        onContent: () => {
          // From here on nothing is read any more: the content stays in our own buffers.
          if (early !== undefined) {
            theirs.pause();
            theirs.removeAllListeners('data');
            theirs.write(early);
          }
          return true;
        },
        done: (result) => resolve(resultOf(result)),
      };
      theirs.on('data', (chunk: Buffer) => {
        for (const line of chunk.toString('latin1').split('\r\n')) {
          const reply = replies(line);
          if (reply !== undefined) theirs.write(`${reply}\r\n`);
        }
      });
      const session = createSmtpSession({
        socket: ours as unknown as Socket,
        extensions: parseExtensions(extensions),
        timeouts: { ...RFC_TIMEOUTS, secondAnswer: 50 },
        maxMessages: 100,
        take: () => undefined,
        onIdle: () => void session.quit(),
        onClosed: () => clearInterval(timer),
      });
      const timer = setInterval(() => session.checkTime(performance.now()), 5);
      session.start(job);
    });
  const usual = (line: string) =>
    line.startsWith('MAIL') || line.startsWith('RCPT') ? '250 Ok' : line === 'DATA' ? '354 go' : undefined;

  test('and accepts a message that it has not got yet is not believed', async () => {
    expect(await play(usual, '250 2.0.0 Ok: queued already\r\n')).toMatchObject({
      type: 'unknown',
      reply: expect.stringContaining('before the final dot'),
    });
  });

  test('and refuses one that it has not got yet is believed, unless it takes it all the same', async () => {
    const refused = '451 4.3.0 not now\r\n';
    expect(await play(usual, refused)).toEqual({ type: 'deferred', reply: '451 4.3.0 not now', code: 451 });
    expect(await play(usual, `${refused}554 5.6.0 not at all\r\n`)).toMatchObject({ code: 451 });
    expect(await play(usual, `${refused}250 2.0.0 Ok: queued\r\n`)).toMatchObject({
      type: 'unknown',
      reply: expect.stringContaining('answered twice: 250 2.0.0'),
    });
  });

  test('and says of a message sent with BDAT what belongs to its recipient is not believed', async () => {
    let answers = 0;
    const shifted = (line: string) =>
      line.startsWith('text') && answers++ === 0 ? '250 2.1.5 Ok' : usual(line);
    expect(await play(shifted, undefined, 'CHUNKING')).toMatchObject({
      type: 'unknown',
      reply: 'connection lost: out of order: 250 2.1.5 Ok',
    });
  });

  test('and wants the content of a message whose sender it refused gets none, not even an empty one', async () => {
    let content = '';
    const result = await play(
      (line) => {
        if (line === 'DATA') return '354 go';
        if (line.startsWith('MAIL')) return '550 5.7.1 not you';
        if (line.startsWith('RCPT')) return '250 Ok';
        content += line;
        return undefined;
      },
      undefined,
      'PIPELINING',
    );
    expect(result).toMatchObject({ type: 'sender-rejected', code: 550 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(content).toBe('');
  });

  test.each([
    ['354 where only 250 can stand', 'RCPT TO:<b@x.test>', '354 go'],
    ['250 where only 354 can stand', 'DATA', '250 2.0.0 Ok: queued, said twice'],
  ])('%s: the connection is given up at once, and nothing is in doubt', async (_name, command, reply) => {
    const late = (line: string) => (line === command ? reply : usual(line));
    for (const extensions of ['', 'PIPELINING'])
      expect(await play(late, undefined, extensions)).toEqual({
        type: 'untouched',
        reply: `connection lost: out of order: ${reply}`,
      });
  });

  test('421 to RCPT is about this recipient, but not when the server goes down', async () => {
    const to = (rcpt: string) => play((line) => (line.startsWith('RCPT') ? rcpt : usual(line)));
    expect(await to('421 4.7.0 too many for this domain')).toMatchObject({ type: 'deferred', code: 421 });
    expect(await to('421 4.3.2 going down')).toMatchObject({ type: 'untouched' });
  });
});
