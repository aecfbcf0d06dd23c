import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { contentOf, rawOf } from '#src/mail/content.ts';
import type { MailTransport, OutgoingMessage, SendOutcome } from '#src/mail/message.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';
import { RFC_TIMEOUTS } from '#src/mail/smtp-timeouts.ts';
import { createMailTransport, type TransportOptions } from '#src/mail/transport.ts';
import { type SinkOptions, type SinkStage, type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts';
import { waitFor } from '../support/wait.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function setUp(
  sinkOptions: SinkOptions = {},
  options: Partial<TransportOptions> = {},
): Promise<{ sink: SmtpSink; transport: MailTransport }> {
  const sink = await startSmtpSink({ keepContent: true, ...sinkOptions });
  const transport = createMailTransport({
    relays: [parseRelay(sink.url)],
    connections: 2,
    patienceMs: 0,
    ...options,
  });
  open.push(sink, transport);
  return { sink, transport };
}

const message = (n: number, body = `Hello ${n}\r\n`, to = `reader${n}@example.org`): OutgoingMessage => ({
  envelope: { from: 'bounces@paperboy.test', to },
  messageId: `<${n}@paperboy.test>`,
  content: contentOf(Buffer.from(`Message-ID: <${n}@paperboy.test>\r\nSubject: ${n}\r\n\r\n${body}`)),
});
const yes = () => true;
const many = (transport: MailTransport, count: number, handOver: () => boolean | Promise<boolean> = yes) =>
  Promise.all(Array.from({ length: count }, (_, n) => transport.send(message(n), handOver)));
const types = (outcomes: SendOutcome[]) => [...new Set(outcomes.map((outcome) => outcome.type))];

test('messages that the network takes slowly, side by side, arrive as they were', async () => {
  const { sink, transport } = await setUp({}, { connections: 4 });
  // More than a socket's memory holds: each is still leaving when the next ones are put together.
  const bodyOf = (n: number) => `${String(n).repeat(70).slice(0, 70)}\r\n`.repeat(30_000 + 7_000 * (n % 3));
  const outcomes = await Promise.all(
    Array.from({ length: 16 }, (_, n) => transport.send(message(n + 10, bodyOf(n + 10)), yes)),
  );
  expect(types(outcomes)).toEqual(['accepted']);
  for (const sunk of sink.messages) {
    const n = Number(/<(\d+)@/.exec(sunk.messageId)?.[1]);
    expect(sunk.content.equals(rawOf(message(n, bodyOf(n))))).toBe(true);
  }
});

const offers: [string, readonly string[]][] = [
  ['nothing', []],
  ['PIPELINING', ['PIPELINING', 'SIZE 1000000']],
  ['CHUNKING', ['CHUNKING', '8BITMIME']],
  ['everything', ['PIPELINING', 'CHUNKING', '8BITMIME', 'SMTPUTF8', 'SIZE 1000000']],
];

describe.each(offers)('a server that offers %s', (_name, extensions) => {
  test('takes many messages, each once and as it was, over the connections allowed', async () => {
    const { sink, transport } = await setUp({ extensions });
    const body = '.one dot\r\n..two\r\n.\r\nend without line break';
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) => transport.send(message(n, body), yes)),
    );
    expect(types(outcomes)).toEqual(['accepted']);
    expect(sink.messages).toHaveLength(50);
    expect(new Set(sink.counts.values())).toEqual(new Set([1]));
    for (const sunk of sink.messages) {
      const n = Number(/<(\d+)@/.exec(sunk.messageId)?.[1]);
      expect(sunk.to).toBe(`reader${n}@example.org`);
      // DATA ends every content with a line break (RFC 5321 section 4.1.1.4); BDAT sends the octets as they are.
      const end = extensions.includes('CHUNKING') ? '' : '\r\n';
      expect(sunk.content.toString()).toBe(rawOf(message(n, body)).toString() + end);
    }
    expect(sink.connections.peak).toBeLessThanOrEqual(2);
    expect(sink.connections.total).toBe(2);
  });

  test('refuses one recipient, defers another, and the next messages are not affected', async () => {
    const { sink, transport } = await setUp({
      extensions,
      script: (stage, { to }) => {
        if (stage !== 'rcpt') return undefined;
        if (to.startsWith('reader3@')) return '550 5.1.1 no such user';
        return to.startsWith('reader5@') ? '450-4.2.0 busy\r\n450 4.2.0 try later' : undefined;
      },
    });
    const outcomes = await many(transport, 10);
    expect(outcomes[3]).toEqual({
      type: 'rejected',
      code: 550,
      scope: 'address',
      reply: '550 5.1.1 no such user',
    });
    expect(outcomes[5]).toEqual({ type: 'deferred', code: 450, reply: '450 4.2.0 busy 4.2.0 try later' });
    expect(sink.messages).toHaveLength(8);
    expect(outcomes.filter((outcome) => outcome.type === 'accepted')).toHaveLength(8);
  });

  test('says 354 although it refused the recipient: nothing is sent to nobody', async () => {
    const { sink, transport } = await setUp({
      extensions,
      script: (stage, { n }) => {
        if (stage === 'rcpt' && n === 2) return '550 5.1.1 no such user';
        return stage === 'data' ? '354 go on' : undefined;
      },
    });
    const outcomes = await many(transport, 6);
    expect(outcomes.filter((outcome) => outcome.type === 'rejected')).toHaveLength(1);
    expect(sink.messages).toHaveLength(5);
    expect(sink.counts.has('')).toBe(false);
  });

  test('refuses a message after its content, and the next ones are not affected', async () => {
    const { sink, transport } = await setUp({
      extensions,
      script: (stage, { n }) =>
        stage === 'content' && n % 3 === 1 ? '554 5.7.1 looks like spam' : undefined,
    });
    const outcomes = await many(transport, 9);
    const rejected = outcomes.filter((outcome) => outcome.type === 'rejected');
    expect(rejected).toHaveLength(3);
    expect(rejected[0]).toMatchObject({ scope: 'message', code: 554 });
    expect(sink.messages).toHaveLength(6);
  });

  test('hangs up after the final dot: exactly the message in flight is unknown', async () => {
    const { sink, transport } = await setUp(
      { extensions, script: (stage, { n }) => (stage === 'content' && n === 4 ? 'drop' : undefined) },
      { connections: 1 },
    );
    const outcomes = await many(transport, 8);
    expect(outcomes.filter((outcome) => outcome.type === 'unknown')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.type === 'accepted')).toHaveLength(7);
    expect(sink.messages).toHaveLength(8);
    expect(new Set(sink.counts.values())).toEqual(new Set([1]));
  });

  test('hangs up before DATA: the message goes over another connection, nothing is in doubt', async () => {
    const { sink, transport } = await setUp({
      extensions,
      script: (stage, { n }) => (stage === 'rcpt' && n === 3 ? 'drop' : undefined),
    });
    const outcomes = await many(transport, 8);
    expect(types(outcomes)).toEqual(['accepted']);
    expect(sink.messages).toHaveLength(8);
    expect(new Set(sink.counts.values())).toEqual(new Set([1]));
  });

  test('closes with 421 now and then: nothing is lost or in doubt', async () => {
    const { sink, transport } = await setUp({
      extensions,
      script: (stage, { n }) => (stage === 'mail' && n % 4 === 0 ? '421 4.3.2 going down' : undefined),
    });
    const outcomes = await many(transport, 12);
    expect(types(outcomes)).toEqual(['accepted']);
    expect(new Set(sink.counts.values())).toEqual(new Set([1]));
  });

  test('speaks garbage after the dot: unknown, and never believed', async () => {
    const { transport } = await setUp(
      { extensions, script: (stage) => (stage === 'content' ? 'HTTP/1.1 200 OK' : undefined) },
      { connections: 1 },
    );
    const [outcome] = await many(transport, 1);
    expect(outcome).toMatchObject({ type: 'unknown', reply: expect.stringContaining('HTTP') });
  });
});

describe('hand-over', () => {
  test('is awaited before DATA, and onContent comes right before the content', async () => {
    const { sink, transport } = await setUp({ extensions: [] }, { connections: 1 });
    const events: string[] = [];
    sink.script = (stage) => void (stage === 'inside-content' || events.push(stage));
    await transport.send(
      message(1),
      async () => {
        await delay(20);
        events.push('handed over');
        return true;
      },
      {
        onContent: () => {
          events.push('content next');
          return true;
        },
        onOutcome: (outcome) => void events.push(outcome.type),
      },
    );
    expect(events).toEqual([
      'greeting',
      'ehlo',
      'handed over',
      'mail',
      'rcpt',
      'data',
      'content next',
      'content',
      'accepted',
    ]);
  });

  test('a message whose hand-over fails is not sent, the others are', async () => {
    const { sink, transport } = await setUp();
    let n = 0;
    const outcomes = await many(transport, 10, async () => n++ % 2 === 0);
    expect(outcomes.filter((outcome) => outcome.type === 'accepted')).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome.type === 'deferred')).toHaveLength(5);
    expect(sink.messages).toHaveLength(5);
  });

  test.each([
    ['DATA', ['PIPELINING']],
    ['BDAT', ['PIPELINING', 'CHUNKING']],
  ] as const)('onContent that says no leaves nothing on the wire (%s)', async (_name, extensions) => {
    const { sink, transport } = await setUp({ extensions: [...extensions] });
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, n) => transport.send(message(n), yes, { onContent: () => n !== 2 })),
    );
    expect(outcomes.map((outcome) => outcome.type)).toEqual(
      [0, 1, 2, 3, 4, 5].map((n) => (n === 2 ? 'deferred' : 'accepted')),
    );
    expect(sink.messages.map((sunk) => sunk.messageId)).not.toContain('<2@paperboy.test>');
    expect(sink.messages).toHaveLength(5);
  });
});

describe('the server', () => {
  test('is not there: deferred, and sent once it is', async () => {
    const gone = await startSmtpSink();
    await gone.close();
    const transport = createMailTransport({ relays: [parseRelay(gone.url)], connections: 2, patienceMs: 0 });
    open.push(transport);
    expect(types(await many(transport, 5))).toEqual(['deferred']);
    const sink = await startSmtpSink({ port: gone.port });
    open.push(sink);
    const sent = await waitFor('a connection after the pause', async () => {
      const outcome = await transport.send(message(1), yes);
      return outcome.type === 'accepted' ? outcome : null;
    });
    expect(sent.type).toBe('accepted');
  });

  test('is out of reach: said once, and once when it is back', async () => {
    const gone = await startSmtpSink();
    await gone.close();
    const told: (string | null)[] = [];
    const onReach = (_relay: unknown, fault: string | null) => void told.push(fault);
    const transport = createMailTransport({ relays: [parseRelay(gone.url)], connections: 2, onReach });
    open.push(transport);
    const sent = transport.send(message(1), yes);
    await waitFor('the fault', () => told.length > 0);
    expect(told).toEqual([expect.stringContaining('ECONNREFUSED')]);
    open.push(await startSmtpSink({ port: gone.port }));
    expect((await sent).type).toBe('accepted');
    expect(told.slice(1)).toEqual([null]);
  });

  test('says 421 in its greeting: deferred', async () => {
    const { transport } = await setUp({
      script: (stage) => (stage === 'greeting' ? '421 4.7.0 too busy' : undefined),
    });
    expect(types(await many(transport, 3))).toEqual(['deferred']);
  });

  test('offers CHUNKING and does not know BDAT: the messages go with DATA', async () => {
    const { sink, transport } = await setUp({
      extensions: ['PIPELINING', 'CHUNKING'],
      script: (stage) =>
        stage === 'content' && sink.commands.at(-1)?.startsWith('BDAT') ? '502 5.5.1 what?' : undefined,
    });
    expect(types(await many(transport, 20))).toEqual(['accepted']);
    expect(sink.messages).toHaveLength(20);
  });

  test('lets nobody else in: what is open is used at once', async () => {
    const { sink, transport } = await setUp(
      {
        script: (stage) =>
          stage === 'greeting' && sink.connections.open > 1 ? '421 4.7.0 one is enough' : undefined,
      },
      { connections: 4 },
    );
    expect(types(await many(transport, 40))).toEqual(['accepted']);
    const since = performance.now();
    for (let n = 0; n < 5; n++) expect(types(await many(transport, 1))).toEqual(['accepted']);
    expect(performance.now() - since).toBeLessThan(200);
  });

  test('hangs after the dot: unknown once the time is over', async () => {
    const { transport } = await setUp(
      { script: (stage) => (stage === 'content' ? 'hang' : undefined) },
      { timeouts: { ...RFC_TIMEOUTS, content: 50 } },
    );
    const [outcome] = await many(transport, 1);
    expect(outcome).toMatchObject({ type: 'unknown', reply: expect.stringContaining('50 ms') });
  });

  test('hangs on every connection it had: others take their place', async () => {
    let hanging = 0;
    const { sink, transport } = await setUp(
      { script: (stage) => (stage === 'rcpt' && hanging < 2 ? (hanging++, 'hang') : undefined) },
      { stuckMs: 200, closeMs: 0 },
    );
    void many(transport, 20);
    await waitFor('all but those that hang', () => sink.messages.length === 18);
    expect(sink.connections.peak).toBeLessThanOrEqual(4);
  });

  test('hangs before the content on one connection while it serves others: the message goes over those', async () => {
    const { sink, transport } = await setUp(
      { script: (stage, { n }) => (stage === 'rcpt' && n === 2 ? 'hang' : undefined) },
      { stuckMs: 400 },
    );
    const outcomes = await many(transport, 30);
    expect(types(outcomes)).toEqual(['accepted']);
    expect(new Set(sink.counts.values())).toEqual(new Set([1]));
  });

  test('never greets on the connections it had: others take their place', async () => {
    const { transport } = await setUp(
      { script: (stage, { n }) => (stage === 'greeting' && n <= 2 ? 'hang' : undefined) },
      { stuckMs: 200, closeMs: 0 },
    );
    expect(types(await many(transport, 20))).toEqual(['accepted']);
  });

  test('says 421 to whatever it is given: it is not stormed', async () => {
    const { sink, transport } = await setUp(
      { script: (stage) => (stage === 'mail' ? '421 4.3.2 no' : undefined) },
      { patienceMs: 500 },
    );
    expect(types(await many(transport, 20))).toEqual(['deferred']);
    expect(sink.connections.total).toBeLessThanOrEqual(8);
  });

  test('offers SIZE and does not know it: the messages go without', async () => {
    const { sink, transport } = await setUp({
      script: (stage, { line }) =>
        stage === 'mail' && line.includes('SIZE=') ? '555 5.5.4 SIZE?' : undefined,
    });
    expect(types(await many(transport, 10))).toEqual(['accepted']);
    expect(sink.messages).toHaveLength(10);
  });

  test('answers in ten thousand lines', async () => {
    const lines = `${'250-2.0.0 a line of a very long answer\r\n'.repeat(10_000)}250 2.0.0 Ok`;
    const { transport } = await setUp({ script: (stage) => (stage === 'content' ? lines : undefined) });
    const outcomes = await many(transport, 3);
    expect(types(outcomes)).toEqual(['accepted']);
    expect(outcomes[0]?.reply.length).toBeLessThan(10_000);
  });

  test('rejects the sender: said as such', async () => {
    const { transport } = await setUp({
      script: (stage) => (stage === 'mail' ? '550 5.7.1 sender blocked' : undefined),
    });
    expect(types(await many(transport, 1))).toEqual(['sender-rejected']);
  });

  test('takes no message of that size: rejected before it is sent', async () => {
    const { sink, transport } = await setUp({ extensions: ['SIZE 100'] });
    const outcome = await transport.send(message(1, 'x'.repeat(200)), yes);
    expect(outcome).toMatchObject({ type: 'rejected', scope: 'message', code: 552 });
    expect(sink.commands.some((command) => command.startsWith('MAIL'))).toBe(false);
    const fits = await transport.send(message(2, 'x\r\n'), yes);
    expect(fits.type).toBe('accepted');
    expect(sink.commands).toContain(
      `MAIL FROM:<bounces@paperboy.test> SIZE=${message(2, 'x\r\n').content.length}`,
    );
  });

  test('does not know SMTPUTF8: only addresses that need it are refused', async () => {
    const { sink, transport } = await setUp({ extensions: ['PIPELINING'] });
    const refused = await transport.send(message(1, 'x\r\n', 'jösé@example.org'), yes);
    expect(refused).toMatchObject({ type: 'rejected', scope: 'address' });
    const idn = await transport.send(message(2, 'x\r\n', 'jose@bücher.example'), yes);
    expect(idn.type).toBe('accepted');
    expect(sink.commands).toContain('RCPT TO:<jose@xn--bcher-kva.example>');
  });

  test('knows SMTPUTF8 and 8BITMIME: both are asked for where needed', async () => {
    const { sink, transport } = await setUp({ extensions: ['SMTPUTF8', '8BITMIME', 'PIPELINING'] });
    await transport.send(message(1, 'grüße\r\n', 'jösé@example.org'), yes);
    expect(sink.commands).toContain('MAIL FROM:<bounces@paperboy.test> BODY=8BITMIME SMTPUTF8');
    expect(sink.commands).toContain('RCPT TO:<jösé@example.org>');
    expect(sink.messages[0]?.content.toString()).toContain('grüße');
  });

  test.each(['a@example.org>\r\nRCPT TO:<b@example.org', 'a b@example.org', '<a@example.org', 'nobody', ''])(
    'is never shown the address %j',
    async (to) => {
      const { sink, transport } = await setUp();
      const outcome = await transport.send(message(1, 'x\r\n', to), yes);
      expect(outcome).toMatchObject({ type: 'rejected', scope: 'address' });
      expect(sink.commands.filter((command) => !/^(EHLO|QUIT)/.test(command))).toEqual([]);
    },
  );
});

describe('connections', () => {
  test('are ended politely after the messages they may carry', async () => {
    const { sink, transport } = await setUp({}, { connections: 1, messagesPerConnection: 3 });
    expect(types(await many(transport, 10))).toEqual(['accepted']);
    expect(sink.connections.total).toBe(4);
    expect(sink.commands.filter((command) => command === 'QUIT').length).toBeGreaterThanOrEqual(3);
  });

  test('are closed with QUIT after what is in flight', async () => {
    const { sink, transport } = await setUp({ latencyMs: 5 }, { connections: 1 });
    const sending = many(transport, 3);
    await waitFor('the first message', () => sink.messages.length > 0);
    await transport.close();
    const outcomes = await sending;
    const accepted = outcomes.filter((outcome) => outcome.type === 'accepted').length;
    expect(sink.messages).toHaveLength(accepted);
    expect(outcomes.filter((outcome) => outcome.type === 'unknown')).toEqual([]);
    expect(sink.commands.at(-1)).toBe('QUIT');
  });
});

test('closing cuts a server that hangs, and says that the message is in doubt', async () => {
  const { transport } = await setUp(
    { script: (stage) => (stage === 'content' ? 'hang' : undefined) },
    { connections: 1, closeMs: 100 },
  );
  let begun = false;
  const sending = transport.send(message(1), yes, {
    onContent: () => {
      begun = true;
      return true;
    },
  });
  await waitFor('the content', () => begun);
  await transport.close();
  expect(await sending).toMatchObject({ type: 'unknown', reply: expect.stringContaining('shutting down') });
});

describe('several relays', () => {
  const two = async (
    one: SinkOptions = {},
    other: SinkOptions = {},
    options: Partial<TransportOptions> = {},
  ) => {
    const first = await startSmtpSink(one);
    const second = await startSmtpSink(other);
    open.push(first, second);
    const transport = createMailTransport({
      relays: [parseRelay(`${first.url}?weight=3`), parseRelay(second.url)],
      connections: 8,
      ...options,
    });
    open.push(transport);
    return { first, second, transport };
  };

  test('share the messages by weight', async () => {
    const { first, second, transport } = await two({ latencyMs: 2 }, { latencyMs: 2 });
    expect(types(await many(transport, 200))).toEqual(['accepted']);
    expect(first.connections.peak).toBe(6);
    expect(second.connections.peak).toBe(2);
    expect(first.messages.length).toBeGreaterThan(second.messages.length);
    expect(second.messages.length).toBeGreaterThan(0);
  });

  test('one that goes away in the middle loses nothing but what was on its wires', async () => {
    const { first, second, transport } = await two({ latencyMs: 2 }, { latencyMs: 20 });
    const sending = many(transport, 200);
    await waitFor('some messages', () => first.messages.length > 20);
    await first.close();
    const outcomes = await sending;
    const unknown = outcomes.filter((outcome) => outcome.type === 'unknown').length;
    const accepted = outcomes.filter((outcome) => outcome.type === 'accepted').length;
    expect(accepted + unknown).toBe(200);
    expect(unknown).toBeLessThanOrEqual(6);
    const ids = [...first.messages, ...second.messages].map((sunk) => sunk.messageId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('one that refuses us leaves the messages to the other, with one alarm', async () => {
    const refusals: string[] = [];
    const { second, transport } = await two(
      { script: (stage) => (stage === 'mail' ? '550 5.7.1 you are blocked' : undefined) },
      {},
      { onRefused: (relay, reply) => refusals.push(`${relay.weight} ${reply}`) },
    );
    expect(types(await many(transport, 50))).toEqual(['accepted']);
    expect(second.messages).toHaveLength(50);
    expect(refusals).toEqual(['3 550 5.7.1 you are blocked']);
  });

  test('that all refuse us say so', async () => {
    const blocked: SinkOptions = { script: (stage) => (stage === 'mail' ? '550 5.7.1 no' : undefined) };
    const { transport } = await two(blocked, blocked);
    expect(types(await many(transport, 5))).toEqual(['sender-rejected']);
  });

  const refusing = (at: SinkStage, reply: string): SinkOptions => ({
    script: (stage) => (stage === at ? reply : undefined),
  });

  test('one that rejects whatever it is given is soon believed no more', async () => {
    const { second, transport } = await two(refusing('rcpt', '550 5.1.1 nobody here'), {});
    const outcomes = await many(transport, 60);
    const rejected = outcomes.filter((outcome) => outcome.type === 'rejected').length;
    expect(rejected).toBeLessThanOrEqual(2);
    expect(second.messages).toHaveLength(60 - rejected);
  });

  test('that both reject a recipient reject it', async () => {
    const nobody = refusing('rcpt', '550 5.1.1 nobody here');
    const { transport } = await two(nobody, nobody);
    expect(types(await many(transport, 20))).toEqual(['rejected']);
  });

  const sized: SinkOptions = { extensions: ['PIPELINING', 'SIZE 10'] };
  test.each<[string, SinkOptions]>([
    ['says that it takes no message of that size', sized],
    ['finds the message too big', refusing('mail', '552 5.3.4 too big')],
    ['finds it too big after the dot', refusing('content', '552 5.3.4 too big')],
    ['can’t just now', refusing('mail', '451 4.3.0 local error')],
    ['has no room', refusing('content', '452 4.3.1 disk full')],
  ])('one that %s leaves it to the other', async (_name, first) => {
    const { second, transport } = await two(first, {});
    expect(types(await many(transport, 30))).toEqual(['accepted']);
    expect(second.messages).toHaveLength(30);
  });

  test('what one would not take is put off while the other can’t be reached, and refused when neither would', async () => {
    const { second, transport } = await two(sized, sized, { patienceMs: 0 });
    expect(types(await many(transport, 3))).toEqual(['rejected']);
    await second.close();
    await waitFor('the connections to it to be gone', () => second.connections.open === 0);
    expect(types(await many(transport, 3))).toEqual(['deferred']);
  });

  test('content that one refused and the other takes is begun twice, and said to be', async () => {
    const { transport } = await two(refusing('content', '552 5.3.4 too big'), {}, { connections: 2 });
    const seen: string[] = [];
    const sendOne = (n: number) =>
      transport.send(message(n), yes, {
        onContent: () => seen.push('begun') > 0,
        onRefusal: () => void seen.push('refused'),
      });
    const outcomes = await Promise.all([1, 2, 3].map(sendOne));
    expect(types(outcomes)).toEqual(['accepted']);
    const count = (what: string) => seen.filter((one) => one === what).length;
    expect(count('refused')).toBeGreaterThan(0);
    expect(count('begun') - count('refused')).toBe(3);
  });

  test('one that lets us in and hangs up on every message is soon left alone', async () => {
    const { first, transport } = await two(
      { script: (stage) => (stage === 'inside-content' ? 'drop' : undefined) },
      { latencyMs: 10 },
    );
    const outcomes = await many(transport, 120);
    expect(outcomes.filter((outcome) => outcome.type === 'unknown').length).toBeLessThanOrEqual(10);
    expect(first.connections.total).toBeLessThanOrEqual(12);
  });

  test('that come back within patience defer nothing', async () => {
    const gone = await startSmtpSink();
    await gone.close();
    const transport = createMailTransport({ relays: [parseRelay(gone.url)], connections: 2 });
    open.push(transport);
    const sending = many(transport, 5);
    await delay(300);
    open.push(await startSmtpSink({ port: gone.port }));
    expect(types(await sending)).toEqual(['accepted']);
  });
});

test('urgent messages have connections of their own, and others where those hang', async () => {
  let hanging = 0;
  const { sink, transport } = await setUp(
    {
      latencyMs: 5,
      script: (stage, { to }) =>
        stage === 'content' && to.startsWith('urgent') && hanging < 2 ? (hanging++, 'hang') : undefined,
    },
    { connections: 2, stuckMs: 300 },
  );
  const digests = many(transport, 400);
  const urgent = (n: number) =>
    transport.send(message(1_000 + n, 'x\r\n', `urgent${n}@example.org`), async () => true, { urgent: true });
  const first = [urgent(0), urgent(1)];
  await waitFor('two that hang', () => hanging === 2);
  expect((await urgent(2)).type).toBe('accepted');
  expect(types(await digests)).toEqual(['accepted']);
  expect(sink.connections.peak).toBeLessThanOrEqual(6);
  sink.dropAll();
  expect(types(await Promise.all(first))).toEqual(['unknown']);
});

test('an urgent message overtakes all others, and has a connection when every one is stuck', async () => {
  const { sink, transport } = await setUp(
    { script: (stage, { to }) => (stage === 'content' && !to.startsWith('urgent') ? 'hang' : undefined) },
    { connections: 2 },
  );
  void many(transport, 20);
  await waitFor('stuck connections', () => sink.commands.filter((line) => line === 'DATA').length >= 2);
  const urgent = await transport.send(message(99, 'x\r\n', 'urgent@example.org'), async () => true, {
    urgent: true,
  });
  expect(urgent.type).toBe('accepted');
  sink.dropAll();
});
