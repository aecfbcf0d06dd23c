import { createServer, type Server, type Socket } from 'node:net';

/** A message that a {@link SmtpSink} took: its content was complete. */
export type SunkMessage = {
  readonly from: string;
  readonly to: string;
  readonly messageId: string;
  /** What the sink answered, or did instead. */
  readonly answer: string;
  /** Content with dots unstuffed; empty unless `keepContent`. */
  readonly content: Buffer;
};

/** Where the sink is asked what to do. `content`: the message is complete, nothing is answered yet. */
export type SinkStage =
  | 'greeting'
  | 'ehlo'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'inside-content'
  | 'content'
  | 'quit';

/**
 * What to do at a stage: `undefined` answers as usual, `drop` cuts the connection (at `content` after the message was
 * taken), `hang` says nothing more, any other text is sent as the reply (CRLF is added).
 */
export type SinkAnswer = string | undefined;

/** Decides for one command; it may wait. `n` counts commands of that stage over all connections, from 1. */
export type SinkScript = (
  stage: SinkStage,
  context: { readonly line: string; readonly n: number; readonly to: string },
) => SinkAnswer | Promise<SinkAnswer>;

/** A fault-injecting SMTP server for tests. */
export type SmtpSink = {
  readonly port: number;
  /** `smtp://127.0.0.1:port` */
  readonly url: string;
  /** Every complete message that was answered with 250, or cut off after it was complete (`answer` is then `drop`). */
  readonly messages: SunkMessage[];
  /** How often each Message-ID was taken. */
  readonly counts: Map<string, number>;
  /** Connections accepted so far, and open now. */
  readonly connections: { total: number; open: number; peak: number };
  /** Commands seen, in order, without content. */
  readonly commands: string[];
  script: SinkScript;
  /** Cuts every open connection. */
  dropAll(): void;
  close(): Promise<void>;
};

/** What {@link startSmtpSink} offers and does. */
export type SinkOptions = {
  /** Default PIPELINING, 8BITMIME, SMTPUTF8, SIZE 50000000. */
  readonly extensions?: readonly string[];
  readonly script?: SinkScript;
  readonly keepContent?: boolean;
  readonly port?: number;
  /** Milliseconds before every reply. */
  readonly latencyMs?: number;
};

const EXTENSIONS = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE 50000000'];
const DEFAULT_REPLIES: Record<Exclude<SinkStage, 'inside-content'>, string> = {
  greeting: '220 sink.test ESMTP',
  ehlo: '',
  mail: '250 2.1.0 Ok',
  rcpt: '250 2.1.5 Ok',
  data: '354 End data with <CR><LF>.<CR><LF>',
  content: '250 2.0.0 Ok: queued',
  quit: '221 2.0.0 Bye',
};

/** Starts a sink on a free port of the loopback interface (or `options.port`). */
export async function startSmtpSink(options: SinkOptions = {}): Promise<SmtpSink> {
  const sockets = new Set<Socket>();
  const stageCounts = new Map<SinkStage, number>();
  const sink = {
    port: 0,
    url: '',
    messages: [] as SunkMessage[],
    counts: new Map<string, number>(),
    connections: { total: 0, open: 0, peak: 0 },
    commands: [] as string[],
    script: options.script ?? (() => undefined),
    dropAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () => closeServer(server, sockets),
  };
  const ask = async (stage: SinkStage, line: string, to: string): Promise<SinkAnswer> => {
    const n = (stageCounts.get(stage) ?? 0) + 1;
    stageCounts.set(stage, n);
    return sink.script(stage, { line, n, to });
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    sink.connections.total += 1;
    sink.connections.open += 1;
    sink.connections.peak = Math.max(sink.connections.peak, sink.connections.open);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      sink.connections.open -= 1;
    });
    serve(socket, options, ask, sink).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  sink.port = (server.address() as { port: number }).port;
  sink.url = `smtp://127.0.0.1:${sink.port}`;
  return sink;
}

function closeServer(server: Server, sockets: Set<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}

type Ask = (stage: SinkStage, line: string, to: string) => Promise<SinkAnswer>;

/** One connection: octets are read on demand, so that a slow answer holds the next command back. */
async function serve(
  socket: Socket,
  options: SinkOptions,
  ask: Ask,
  sink: { messages: SunkMessage[]; counts: Map<string, number>; commands: string[] },
): Promise<void> {
  socket.setNoDelay(true);
  const input = createInput(socket);
  let from = '';
  let to = '';
  let sender = false;
  let recipient = false;
  const answer = async (stage: Exclude<SinkStage, 'inside-content'>, line: string, usual?: string) => {
    const scripted = await ask(stage, line, to);
    if (options.latencyMs) await new Promise((resolve) => setTimeout(resolve, options.latencyMs));
    if (scripted === 'drop') throw new Error('dropped');
    if (scripted === 'hang') await new Promise(() => undefined);
    const reply = scripted ?? usual ?? DEFAULT_REPLIES[stage];
    socket.write(`${reply}\r\n`);
    return reply;
  };
  const finish = async (content: Buffer) => {
    const messageId =
      /^message-id:\s*(<[^>]*>)/im.exec(content.subarray(0, 16_384).toString('latin1'))?.[1] ?? '';
    const message = { from, to, messageId, content: options.keepContent ? content : Buffer.alloc(0) };
    const keep = (text: string) => {
      sink.messages.push({ ...message, answer: text });
      sink.counts.set(messageId, (sink.counts.get(messageId) ?? 0) + 1);
    };
    try {
      const reply = await answer('content', '');
      if (reply.startsWith('2')) keep(reply);
    } catch (error) {
      keep('drop');
      throw error;
    }
  };

  await answer('greeting', '');
  for (;;) {
    const line = await input.line();
    sink.commands.push(line);
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO' || verb === 'HELO') {
      const lines = ['sink.test', ...(options.extensions ?? EXTENSIONS)];
      await answer(
        'ehlo',
        line,
        lines.map((text, i) => `250${i === lines.length - 1 ? ' ' : '-'}${text}`).join('\r\n'),
      );
    } else if (verb === 'MAIL') {
      from = /<([^>]*)>/.exec(line)?.[1] ?? '';
      recipient = false;
      sender = (await answer('mail', line)).startsWith('2');
    } else if (verb === 'RCPT') {
      to = /<([^>]*)>/.exec(line)?.[1] ?? '';
      recipient = (
        await answer('rcpt', line, sender ? undefined : '503 5.5.1 Error: need MAIL command')
      ).startsWith('2');
    } else if (verb === 'DATA') {
      const reply = await answer(
        'data',
        line,
        recipient ? undefined : '554 5.5.1 Error: no valid recipients',
      );
      if (!reply.startsWith('354')) continue;
      if ((await ask('inside-content', '', to)) === 'drop') {
        await input.some();
        throw new Error('dropped');
      }
      const content = await input.content();
      if (recipient) await finish(content);
      else socket.write('554 5.5.1 Error: no valid recipients\r\n');
    } else if (verb === 'BDAT') {
      const size = Number(line.split(' ')[1]);
      if ((await ask('inside-content', '', to)) === 'drop') {
        await input.some();
        throw new Error('dropped');
      }
      const content = await input.octets(size);
      if (recipient) await finish(content);
      else socket.write('503 5.5.1 Error: need RCPT command\r\n');
    } else if (verb === 'QUIT') {
      await answer('quit', line);
      socket.end();
      return;
    } else {
      socket.write('250 2.0.0 Ok\r\n');
    }
  }
}

const END = Buffer.from('\r\n.\r\n');

/** Reads lines, content up to the final dot, and counted octets off a socket. */
function createInput(socket: Socket) {
  const chunks: Buffer[] = [];
  let ended = false;
  let wake = () => undefined as void;
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    wake();
  });
  const end = () => {
    ended = true;
    wake();
  };
  socket.on('end', end);
  socket.on('close', end);
  /** Waits until something more came; the whole of what is there is then one buffer. */
  const more = async (seen: number) => {
    for (;;) {
      const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      if (size > seen) {
        if (chunks.length > 1) chunks.splice(0, chunks.length, Buffer.concat(chunks));
        return chunks[0] as Buffer;
      }
      if (ended) throw new Error('connection ended');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const takeTo = (buffer: Buffer, end: number) => {
    chunks[0] = buffer.subarray(end);
    return buffer.subarray(0, end);
  };
  return {
    some: () => more(0),
    line: async () => {
      for (let seen = 0; ; ) {
        const buffer = await more(seen);
        const at = buffer.indexOf('\r\n');
        if (at !== -1)
          return takeTo(buffer, at + 2)
            .subarray(0, at)
            .toString('utf8');
        seen = buffer.length;
      }
    },
    content: async () => {
      for (let seen = 0; ; ) {
        const buffer = await more(seen);
        if (buffer.subarray(0, 3).equals(END.subarray(2))) {
          takeTo(buffer, 3);
          return Buffer.alloc(0);
        }
        const at = buffer.indexOf(END, Math.max(0, seen - END.length));
        if (at !== -1) return unstuff(takeTo(buffer, at + END.length).subarray(0, at + 2));
        seen = buffer.length;
      }
    },
    octets: async (size: number) => {
      if (size === 0) return Buffer.alloc(0);
      for (let seen = 0; ; ) {
        const buffer = await more(seen);
        if (buffer.length >= size) return takeTo(buffer, size);
        seen = buffer.length;
      }
    },
  };
}

const unstuff = (content: Buffer) =>
  Buffer.from(content.toString('latin1').replace(/(^|\r\n)\./g, '$1'), 'latin1');
