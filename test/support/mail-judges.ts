import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#src/embedded/ports.ts';
import { waitFor } from './wait.ts';

/** What a spam filter says of one mail. */
export type Verdict = {
  /** Points; negative is good. */
  readonly score: number;
  /** Rules that hit, with their points. */
  readonly rules: Readonly<Record<string, number>>;
};

/** A spam filter at work. It talks to nobody. */
export type Judge = {
  /** @param raw the mail as it came, with the Received line of {@link received} in front */
  judge(raw: Buffer): Promise<Verdict>;
  close(): Promise<void>;
};

/** True when a program is installed. */
export const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

const IP = '93.184.216.34';
const HELO = 'mail.paperboy.example';

/** A mail as the receiving server would have stamped it: filters want to know the way. */
export function received(raw: Buffer, at: Date): Buffer {
  const date = at.toUTCString().replace('GMT', '+0000');
  const field = `Received: from ${HELO} (${HELO} [${IP}]) by mx.example.org with ESMTPS id 1 for <reader@example.org>; ${date}\r\n`;
  return Buffer.concat([Buffer.from(field), raw]);
}

/** No DNS, no lists, no other machines: what is left judges the mail itself. */
const RSPAMD: Readonly<Record<string, string>> = {
  'options.inc':
    'dns { nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }\ncontrol_socket = "$DBDIR/rspamd.sock mode=0600";\n# compiled expressions pay off after thousands of mails only\ndisable_hyperscan = true;\n',
  'logging.inc': 'type = "console"; level = "error";\n',
  ...Object.fromEntries(
    [
      'worker-controller.inc',
      'worker-proxy.inc',
      'worker-fuzzy.inc',
      'fuzzy_check.conf',
      'rbl.conf',
      'surbl.conf',
      'hfilter.conf',
      'asn.conf',
      'phishing_feeds.conf',
    ].map((name) => [name, 'enabled = false;\n']),
  ),
};

/** Reading its rules takes rspamd three seconds of CPU. */
const START_MS = 120_000;

/** Starts rspamd (Debian's package) on a port of its own. @throws Error when it does not answer within {@link START_MS} */
export async function startRspamd(): Promise<Judge> {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-rspamd-'));
  const local = join(folder, 'local.d');
  await mkdir(local);
  // Started by root its worker is another user.
  await chmod(folder, 0o777);
  const port = await freePort();
  const files = { ...RSPAMD, 'worker-normal.inc': `bind_socket = "127.0.0.1:${port}"; count = 1;\n` };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(local, name), text)));
  const variables = {
    CONFDIR: '/etc/rspamd',
    LOCAL_CONFDIR: folder,
    DBDIR: folder,
    RUNDIR: folder,
    LOGDIR: folder,
  };
  const child = spawn(
    'rspamd',
    [
      '-f',
      '-i',
      '-c',
      '/etc/rspamd/rspamd.conf',
      '-p',
      join(folder, 'pid'),
      ...Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}=${value}`]),
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const close = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const answers = async () => (await fetch(`${url}/ping`).catch(() => null))?.ok === true;
    await waitFor('rspamd to answer', answers, START_MS);
  } catch (error) {
    await close();
    throw error;
  }
  return { judge: (raw) => askRspamd(url, raw), close };
}

type RspamdAnswer = { score: number; symbols: Record<string, { score: number; options?: string[] }> };

async function askRspamd(url: string, raw: Buffer): Promise<Verdict> {
  const headers = {
    IP,
    Helo: HELO,
    Hostname: HELO,
    From: 'bounces@paperboy.example',
    Rcpt: 'reader@example.org',
  };
  const response = await fetch(`${url}/checkv2`, { method: 'POST', headers, body: new Uint8Array(raw) });
  if (!response.ok) throw new Error(`rspamd: ${response.status} ${await response.text()}`);
  const { score, symbols } = (await response.json()) as RspamdAnswer;
  return {
    score,
    rules: Object.fromEntries(Object.entries(symbols).map(([name, symbol]) => [name, symbol.score])),
  };
}

/** One process for many mails: the rules take two seconds to compile. A mail's path in, a line of score and rules out. */
const SPAMASSASSIN = `
use Mail::SpamAssassin; $| = 1;
my $filter = Mail::SpamAssassin->new({ local_tests_only => 1, dont_copy_prefs => 1, userprefs_filename => '/dev/null' });
$filter->compile_now(0, 1);
while (my $path = <STDIN>) {
  chomp $path; local $/ = undef; open(my $file, '<', $path) or die "$path: $!"; my $mail = $filter->parse(<$file>); close $file;
  my $status = $filter->check($mail);
  print $status->get_score(), ' ', join(' ', map { "$_=" . ($filter->{conf}->{scores}->{$_} // 1) } split(/,/, $status->get_names_of_tests_hit())), "\\n";
  $status->finish(); $mail->finish(); $/ = "\\n";
}`;

/** Starts SpamAssassin (Debian's package), local tests only. One mail at a time. */
export async function startSpamAssassin(): Promise<Judge> {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-spamassassin-'));
  const child = spawn('perl', ['-e', SPAMASSASSIN], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = linesOf(child.stdout);
  const file = join(folder, 'mail.eml');
  return {
    judge: async (raw) => {
      await writeFile(file, raw);
      child.stdin.write(`${file}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error('SpamAssassin ended');
      const [score = '', ...rules] = value.trim().split(' ');
      return {
        score: Number(score),
        rules: Object.fromEntries(
          rules.map((rule) => rule.split('=')).map(([name, points]) => [name, Number(points)]),
        ),
      };
    },
    close: async () => {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.stdin.end();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream) {
    rest += chunk.toString();
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
  }
}
