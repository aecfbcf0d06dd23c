import type { Socket } from 'node:net';
import type { JobResult, SmtpJob } from './smtp-job.ts';
import { classifyReply, isAboutRelay, type SmtpPhase } from './smtp-outcome.ts';
import {
  createReplyParser,
  enhancedCode,
  isIntermediate,
  isUnknownCommand,
  isUnknownParameter,
  type SmtpReply,
  showReply,
  speaksOfAddress,
} from './smtp-reply.ts';
import { type Expected, type SmtpTimeouts, timeLimit } from './smtp-timeouts.ts';
import { buildEnvelope, type Envelope, type Extensions, isOutcome, wireOctets } from './smtp-wire.ts';

/** An established, authenticated SMTP connection that carries one message after the other. */
export type SmtpSession = {
  /** Begins a transaction; only while {@link SmtpSession.idle}. */
  start(job: SmtpJob): void;
  readonly idle: boolean;
  /** Messages given to this connection so far. */
  readonly count: number;
  /** The server has said what became of a message, whatever it was. */
  readonly answered: boolean;
  /** How long the server has kept us waiting for an answer, in milliseconds. */
  waitingMs(now: number): number;
  /** Ends the connection when the server has kept us waiting too long; call it every second or so. */
  checkTime(now: number): void;
  /**
   * Ends a connection that has kept us waiting for longer than `ms` with nothing of a message's content on it; longer for a message that
   * was on others before.
   */
  leaveStuck(now: number, ms: number): void;
  /** QUIT after what is in flight; resolves once the socket is closed. */
  quit(): Promise<void>;
  /** Cuts the connection. */
  destroy(reason: string): void;
};

type Opening = {
  job: SmtpJob;
  envelope: Envelope;
  failed: JobResult | null;
  begun: boolean;
  /** RCPT was accepted. */
  recipient: boolean;
};
/** `flushed`: its last octet has left this process. `refused`: what the server said before that, and may take back. */
type Sending = { job: SmtpJob; flushed: boolean; refused: SmtpReply | null };

/**
 * Drives MAIL / RCPT / DATA (or BDAT) over a socket and always knows the phase each message is in.
 *
 * Where PIPELINING (RFC 2920) is offered, the envelope of the next message travels with the content of the current one,
 * so that a message costs one round trip. Content is only ever written once its own recipient was accepted (and, with
 * DATA, 354 was said), and only one message's content is unanswered at any time: whatever happens to the connection,
 * at most that one message is in doubt.
 * @param deps.take the next message for this connection, if one is ready now
 * @param deps.onIdle told when there was none
 * @param deps.onClosed told once, when the connection is gone; `fruitless`: with a message on it, and none before had been answered
 * @param deps.stuckMs a message whose envelope has waited for so long behind the content of another goes to another connection
 * @param deps.maxMessages after so many the connection is ended with QUIT
 */
export function createSmtpSession(deps: {
  readonly socket: Socket;
  readonly extensions: Extensions;
  readonly timeouts: SmtpTimeouts;
  readonly maxMessages: number;
  stuckMs?(job: SmtpJob): number;
  take(): SmtpJob | undefined;
  onIdle(): void;
  onClosed(reason: string, fruitless: boolean): void;
  /** Told when the server offers CHUNKING or SIZE and does not know it: the next connections must do without. */
  onUnknown?(extension: 'chunking' | 'size'): void;
}): SmtpSession {
  const { socket, extensions, timeouts } = deps;
  const parser = createReplyParser();
  const expected: Expected[] = [];
  let opening: Opening | null = null;
  let sending: Sending | null = null;
  let resetFirst = false;
  let quitting = false;
  let closed = false;
  let count = 0;
  let answered = false;
  /** The message behind the one that is sent was taken away: nothing goes together any more. */
  let parting = false;
  let waitingSince = performance.now();

  const expect = (...kinds: Expected[]) => {
    if (expected.length === 0) waitingSince = performance.now();
    expected.push(...kinds);
  };

  /** Makes `job` the next transaction; answers the commands to write, or null when it can't be sent at all. */
  const open = (job: SmtpJob): string | null => {
    const envelope = buildEnvelope(job.message, extensions);
    if (isOutcome(envelope)) {
      job.done(envelope.type === 'sender-rejected' ? envelope : { type: 'unfit', outcome: envelope });
      return null;
    }
    count += 1;
    opening = { job, envelope, failed: null, begun: false, recipient: false };
    let commands = '';
    if (resetFirst) {
      resetFirst = false;
      commands = 'RSET\r\n';
      expect('rset');
      if (!extensions.pipelining) return commands;
    }
    return commands + beginEnvelope(opening);
  };

  const beginEnvelope = (current: Opening): string => {
    current.begun = true;
    const { mail, rcpt } = current.envelope;
    if (!extensions.pipelining) {
      expect('mail');
      return mail;
    }
    if (extensions.chunking) {
      expect('mail', 'rcpt');
      return mail + rcpt;
    }
    expect('mail', 'rcpt', 'data');
    return `${mail}${rcpt}DATA\r\n`;
  };

  /** Takes messages until one can be sent; answers its commands, or '' when there is none. */
  const openNext = (): string => {
    while (!quitting && count < deps.maxMessages) {
      const job = deps.take();
      if (!job) return '';
      const commands = open(job);
      if (commands !== null) return commands;
    }
    return '';
  };

  // UTF-8: ASCII but for the addresses of SMTPUTF8 (RFC 6531).
  const write = (text: string) => {
    if (text !== '') socket.write(text, 'utf8');
  };

  const goOn = () => {
    if (closed || opening || sending) return;
    const commands = openNext();
    if (commands !== '') return write(commands);
    if (quitting || count >= deps.maxMessages) return sayQuit();
    deps.onIdle();
  };

  const sayQuit = () => {
    if (closed || expected.includes('quit')) return;
    quitting = true;
    expect('quit');
    write('QUIT\r\n');
  };

  /** What a reply that ended a transaction means for its message. */
  const resultOf = (reply: SmtpReply, phase: SmtpPhase): JobResult => {
    answered = true;
    const outcome = classifyReply(reply, phase);
    const unfit = outcome.type !== 'sender-rejected' && isAboutRelay(reply, phase);
    return unfit ? { type: 'unfit', outcome } : outcome;
  };

  /** The transaction being opened ended without content. */
  const failOpening = (outcome: JobResult) => {
    const job = opening?.job;
    opening = null;
    resetFirst = true;
    job?.done(outcome);
    goOn();
  };

  const writeContent = (current: Opening) => {
    if (!current.job.onContent()) {
      opening = null;
      current.job.done({ type: 'untouched', reply: 'not handed over' });
      // After 354 there is no way back but to hang up.
      if (!extensions.chunking) return close('a message was withdrawn after DATA');
      resetFirst = true;
      return goOn();
    }
    const mine: Sending = { job: current.job, flushed: false, refused: null };
    sending = mine;
    opening = null;
    expect('content');
    // After a refused BDAT the server still has the transaction open (RFC 3030 section 2): reset in any case.
    resetFirst = extensions.chunking;
    const next = extensions.pipelining ? openNext() : '';
    // Taking the next message may have ended all this.
    if (closed) return;
    const { octets, release } = wireOctets(current.job.message, extensions.chunking, next);
    socket.write(octets, () => {
      release();
      flushed(mine);
    });
  };

  const flushed = (mine: Sending) => {
    mine.flushed = true;
    waitingSince = performance.now();
  };

  const onReply = (reply: SmtpReply) => {
    const kind = expected.shift();
    waitingSince = performance.now();
    if (kind === undefined) return close(`unasked: ${showReply(reply)}`);
    if (kind === 'quit') return close('QUIT');
    if (kind === 'content') return onContentReply(reply);
    if (reply.code === 421) return onGoodbye(kind, reply);
    // 503 although nothing failed: the server and we disagree on where we are; a fresh connection settles it.
    if (reply.code === 503 && !opening?.failed) return close(showReply(reply));
    if (kind === 'rset' || kind === 'emptied') return onReset(kind, reply);
    onEnvelopeReply(kind, reply);
  };

  const onContentReply = (reply: SmtpReply) => {
    const early = sending !== null && !sending.flushed;
    if (sending?.refused) return onSecondAnswer(reply);
    // "Accepted" before the message was out is about something else, or a lie: nobody can tell what becomes of it.
    if (early && reply.code < 400) return close(`answered before the final dot: ${showReply(reply)}`);
    if (isIntermediate(reply)) return close(`out of order: ${showReply(reply)}`);
    // With DATA 354 shows whether answers and commands still go together; with BDAT only this does.
    if (extensions.chunking && speaksOfAddress(reply)) return close(`out of order: ${showReply(reply)}`);
    if (extensions.chunking && isUnknownCommand(reply)) return without('chunking', reply);
    // A refusal in the middle of it may be repeated at its end, or be taken back there.
    if (early && sending) {
      sending.refused = reply;
      expected.unshift('content');
      return;
    }
    const job = sending?.job;
    sending = null;
    job?.done(resultOf(reply, 'content'));
    if (reply.code === 421 || parting) return close(showReply(reply));
    goOn();
  };

  /** Whoever refuses a message and then takes it has said nothing. */
  const onSecondAnswer = (reply: SmtpReply) => {
    if (sending && reply.code < 400) sending.refused = null;
    close(`answered twice: ${showReply(reply)}`);
  };

  /** Nothing of the message was taken: another connection sends it with DATA, or without naming its size. */
  const without = (extension: 'chunking' | 'size', reply: SmtpReply) => {
    const job = extension === 'chunking' ? sending?.job : opening?.job;
    if (extension === 'chunking') sending = null;
    else opening = null;
    answered = true;
    deps.onUnknown?.(extension);
    job?.done({ type: 'untouched', reply: showReply(reply) });
    close(`${extension.toUpperCase()} offered, and not known: ${showReply(reply)}`);
  };

  /** 421: the server hangs up. Said to RCPT, and not of a server going down, it is about this recipient. */
  const onGoodbye = (kind: Expected, reply: SmtpReply) => {
    if (kind === 'rcpt' && opening && !enhancedCode(reply)?.startsWith('4.3.')) {
      const { job } = opening;
      opening = null;
      job.done(resultOf(reply, 'rcpt'));
    }
    close(showReply(reply));
  };

  const onReset = (kind: 'rset' | 'emptied', reply: SmtpReply) => {
    if (kind === 'emptied') {
      const outcome = opening?.failed;
      return outcome ? failOpening(outcome) : close('lost track');
    }
    if (reply.code >= 300) return close(`RSET refused: ${showReply(reply)}`);
    if (opening && !opening.begun) write(beginEnvelope(opening));
  };

  const onEnvelopeReply = (kind: 'mail' | 'rcpt' | 'data', reply: SmtpReply) => {
    const current = opening;
    if (!current) return close('lost track');
    // Nobody means these: its answers have come apart from our commands. Going on, we would wait for minutes for answers to what it takes for content.
    const outOfOrder = kind === 'data' ? reply.code < 400 && reply.code !== 354 : isIntermediate(reply);
    if (outOfOrder) return close(`out of order: ${showReply(reply)}`);
    if (kind === 'mail' && extensions.size && isUnknownParameter(reply)) return without('size', reply);
    const accepted = kind === 'data' ? reply.code === 354 : reply.code < 300;
    if (!accepted && !current.failed) current.failed = resultOf(reply, kind);
    if (kind === 'rcpt' && accepted) current.recipient = true;
    const last = extensions.chunking ? 'rcpt' : 'data';
    if (!extensions.pipelining) return nextCommand(current, kind, last);
    if (kind !== last) return;
    if (!current.failed) return writeContent(current);
    if (kind === 'data' && accepted) {
      // It refused the sender, took the recipient all the same and wants content: it would deliver an empty mail.
      if (current.recipient) return abandonOpening(current, current.failed);
      // The server said 354 although it refused the recipient (RFC 2920 section 3.1): give it an empty message.
      expect('emptied');
      return write('.\r\n');
    }
    failOpening(current.failed);
  };

  const abandonOpening = (current: Opening, outcome: JobResult) => {
    opening = null;
    current.job.done(outcome);
    close('it wants the content of a message whose sender it refused');
  };

  const nextCommand = (current: Opening, kind: 'mail' | 'rcpt' | 'data', last: 'rcpt' | 'data') => {
    if (current.failed) return failOpening(current.failed);
    if (kind === last) return writeContent(current);
    if (kind === 'mail') {
      expect('rcpt');
      return write(current.envelope.rcpt);
    }
    expect('data');
    write('DATA\r\n');
  };

  /** Nothing of its content is written: it need not wait for the server to answer to that of another. */
  const letOpeningGo = () => {
    const job = opening?.job;
    opening = null;
    parting = true;
    job?.done({ type: 'untouched', reply: 'the server does not answer to the message before' });
  };

  const close = (reason: string) => {
    if (closed) return;
    closed = true;
    socket.destroy();
    const unanswered = sending;
    const unopened = opening;
    sending = null;
    opening = null;
    const reply = `connection lost: ${reason}`;
    if (unanswered?.refused) unanswered.job.done(resultOf(unanswered.refused, 'content'));
    else unanswered?.job.done({ type: 'unknown', reply });
    unopened?.job.done({ type: 'untouched', reply });
    deps.onClosed(reason, !answered && (unanswered ?? unopened) !== null);
  };

  socket.on('data', (chunk: Buffer) => {
    if (closed) return;
    const { replies, fault } = parser.push(chunk);
    for (const reply of replies) {
      if (closed) return;
      onReply(reply);
    }
    if (fault !== undefined) close(fault);
  });
  socket.on('error', (error) => close(error.message));
  socket.on('end', () => close('closed by the server'));
  const gone = new Promise<void>((resolve) => {
    socket.on('close', () => {
      close('closed');
      resolve();
    });
  });

  return {
    start: (job) => {
      const commands = open(job);
      if (commands === null) return goOn();
      write(commands);
    },
    get idle() {
      return !closed && !quitting && !opening && !sending && count < deps.maxMessages;
    },
    get count() {
      return count;
    },
    get answered() {
      return answered;
    },
    waitingMs: (now) => (closed || expected.length === 0 ? 0 : now - waitingSince),
    checkTime: (now) => {
      const kind = expected[0];
      if (closed || kind === undefined) return;
      const limit = timeLimit(timeouts, kind, sending);
      if (sending && opening && deps.stuckMs && now - waitingSince > deps.stuckMs(opening.job))
        letOpeningGo();
      if (now - waitingSince > limit) close(`no answer to ${kind.toUpperCase()} within ${limit} ms`);
    },
    leaveStuck: (now, ms) => {
      if (closed || sending || !opening || expected.length === 0) return;
      const patience = ms * 2 ** (opening.job.losses ?? 0);
      if (now - waitingSince > patience)
        close(`silent for ${Math.round(patience / 1000)} s, while others are served`);
    },
    quit: () => {
      quitting = true;
      goOn();
      return gone;
    },
    destroy: close,
  };
}
