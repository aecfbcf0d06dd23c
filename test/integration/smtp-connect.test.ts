import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, test } from 'vitest';
import { contentOf } from '#src/mail/content.ts';
import { connectToRelay } from '#src/mail/smtp-connect.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';
import { createMailTransport } from '#src/mail/transport.ts';

/** A relay as they are: TLS with a certificate of its own, and a login. */
type TestRelay = { readonly url: (user: string, parameters: string) => string; readonly mails: string[] };

const servers: SMTPServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0))
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
});

async function startRelay(options: SMTPServerOptions): Promise<TestRelay> {
  const mails: string[] = [];
  const server = new SMTPServer({
    disableReverseLookup: true,
    onAuth: ({ username, password }, _session, done) =>
      username === 'ada' && password === 'p@ss:word' ? done(null, { user: username }) : done(new Error('no')),
    onData: (stream, session, done) => {
      stream.on('data', () => undefined);
      stream.on('end', () => {
        mails.push(`${session.secure ? 'tls' : 'clear'} ${session.user ?? 'nobody'}`);
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  servers.push(server);
  const { port } = server.server.address() as AddressInfo;
  const scheme = options.secure ? 'smtps' : 'smtp';
  return { url: (user, parameters) => `${scheme}://${user}127.0.0.1:${port}?${parameters}`, mails };
}

const USER = 'ada:p%40ss%3Aword@';
const message = {
  envelope: { from: 'papers@example.org', to: 'reader@example.org' },
  messageId: '<1@example.org>',
  content: contentOf(Buffer.from('Subject: hello\r\n\r\n.a line that begins with a dot\r\n')),
};

async function send(url: string) {
  const transport = createMailTransport({ relays: [parseRelay(url)], connections: 1 });
  try {
    return await transport.send(message, () => true);
  } finally {
    await transport.close();
  }
}

describe('a connection through nodemailer, and the socket taken from it', () => {
  test.each(['PLAIN', 'LOGIN', 'CRAM-MD5'])('STARTTLS, then AUTH %s, then a message', async (method) => {
    const onAuth: SMTPServerOptions['onAuth'] = (auth, _session, done) => {
      const right =
        auth.method === 'CRAM-MD5' ? auth.validatePassword('p@ss:word') : auth.password === 'p@ss:word';
      return auth.username === 'ada' && right ? done(null, { user: 'ada' }) : done(new Error('no'));
    };
    const relay = await startRelay({ authMethods: [method], onAuth });
    expect(await send(relay.url(USER, 'tls=required&verify=no'))).toMatchObject({ type: 'accepted' });
    expect(relay.mails).toEqual(['tls ada']);
  });

  test('TLS from the first octet', async () => {
    const relay = await startRelay({ secure: true });
    expect(await send(relay.url(USER, 'verify=no'))).toMatchObject({ type: 'accepted' });
    expect(relay.mails).toEqual(['tls ada']);
  });

  test('a certificate nobody signed is refused unless verify=no says otherwise', async () => {
    const relay = await startRelay({ authOptional: true });
    expect(await send(relay.url('', 'tls=required'))).toMatchObject({ type: 'deferred' });
    expect(relay.mails).toEqual([]);
  });

  test('TLS that is merely used where offered takes any certificate, unless told to verify', async () => {
    const relay = await startRelay({ authOptional: true });
    expect(await send(relay.url('', ''))).toMatchObject({ type: 'accepted' });
    expect(relay.mails[0]).toMatch(/^tls/);
    const strict = parseRelay(relay.url('', 'verify=yes'));
    expect(await connectToRelay(strict)).toMatchObject({ type: 'unreachable' });
    expect(() => parseRelay(relay.url('', 'verify=maybe'))).toThrow(/yes or no/);
  });

  test('no password crosses the network in the clear where TLS is required', async () => {
    const relay = await startRelay({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
    expect(await send(relay.url(USER, 'tls=required&verify=no'))).toMatchObject({ type: 'deferred' });
    expect(relay.mails).toEqual([]);
  });

  test('a wrong password is told apart from a relay that is away', async () => {
    const relay = await startRelay({});
    const refused = await connectToRelay(parseRelay(relay.url('ada:wrong@', 'tls=required&verify=no')));
    expect(refused).toMatchObject({ type: 'refused' });
    const away = await connectToRelay(parseRelay('smtp://127.0.0.1:1'));
    expect(away).toMatchObject({ type: 'unreachable' });
  });
});

describe('a relay that takes its time', () => {
  const open: { close(): void }[] = [];
  afterEach(() => {
    for (const server of open.splice(0)) server.close();
  });
  /** Serves a connection by hand; answers its URL. */
  const serve = async (serveOne: (socket: Socket) => Promise<unknown>): Promise<string> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      void serveOne(socket);
    });
    server.listen(0, '127.0.0.1');
    open.push(server);
    await once(server, 'listening');
    return `smtp://localhost:${(server.address() as AddressInfo).port}`;
  };
  const times = { connect: 250, address: 100, setup: 1_500 };

  test('for its greeting longer than connecting may take is waited for', async () => {
    const url = await serve(async (socket) => {
      await delay(600);
      socket.write('220 at last\r\n');
      await once(socket, 'data');
      socket.write('250-relay.test\r\n250 SIZE 1000\r\n');
    });
    const opened = await connectToRelay(parseRelay(url), times);
    if (!('socket' in opened)) throw new Error(opened.reply);
    opened.socket.destroy();
    expect(opened.extensions.maxSize).toBe(1_000);
  });

  test('for ever, an octet now and then, is given up', async () => {
    const url = await serve(async (socket) => {
      socket.write('220 hello\r\n');
      await once(socket, 'data');
      for (let line = '250-relay.test\r\n'; !socket.destroyed; line = '250-AND MORE\r\n')
        for (const octet of line) {
          socket.write(octet);
          await delay(20);
        }
    });
    expect(await connectToRelay(parseRelay(url), times)).toMatchObject({
      type: 'unreachable',
      reply: 'it did not let us in in time',
    });
  });

  test('and speaks in control characters is quoted without them: the ledger could not keep them', async () => {
    const url = await serve(async (socket) => socket.end('554 no\0 not\x07 you\r\n'));
    const fault = await connectToRelay(parseRelay(url), times);
    expect(fault).toMatchObject({ type: 'unreachable', code: 554 });
    expect('reply' in fault && fault.reply).toMatch(/554 no not you$/);
  });
});
