/** A mail server that takes our messages, from one URL of SMTP_URL. */
export type Relay = {
  /** `host:port`, for logs and reports. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** TLS from the first octet (`smtps://`). */
  readonly implicitTls: boolean;
  /** STARTTLS: insisted on, used where offered, or never. */
  readonly startTls: 'required' | 'offered' | 'never';
  /**
   * False accepts any certificate: for a relay on the same machine or network only, and where TLS is merely used if it is offered: whoever
   * could show a false one could as well hide the offer, and the mail would go in the clear (RFC 7435).
   */
  readonly verifyCertificate: boolean;
  readonly auth?: { readonly user: string; readonly password: string; readonly method?: string };
  /** Name said in EHLO; default the machine's. */
  readonly ehloName?: string;
  /** Share of messages it gets among several relays; 1 is usual. */
  readonly weight: number;
  /** Connections at once at most, per process; default the transport's. */
  readonly connections?: number;
  /** Messages a minute at most, over all processes. */
  readonly perMinute?: number;
};

const TLS_CHOICES = ['required', 'offered', 'never'] as const;
const PARAMETERS = ['tls', 'verify', 'auth', 'name', 'weight', 'connections', 'per-minute'];

/**
 * Reads `smtp://user:password@host:port?tls=required&weight=2&connections=20&per-minute=600&name=mail.example.org`.
 * Ports default to 587 (25 without a user) and 465 with `smtps://`. With a user STARTTLS is required unless `tls` says otherwise,
 * so that a password never crosses a network in the clear by accident. Certificates are verified (`verify`) where TLS is required.
 * @throws RangeError saying what is wrong, without the password
 */
export function parseRelay(text: string): Relay {
  const url = readUrl(text);
  const parameters = url.searchParams;
  for (const name of parameters.keys())
    if (!PARAMETERS.includes(name))
      throw new RangeError(`unknown parameter "${name}" in the SMTP URL; it takes ${PARAMETERS.join(', ')}`);
  const implicitTls = url.protocol === 'smtps:';
  const user = decodeURIComponent(url.username);
  const port = Number(url.port) || (implicitTls ? 465 : user ? 587 : 25);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const method = parameters.get('auth');
  const startTls = tlsChoice(parameters.get('tls'), user !== '' && !isLoopback(host));
  const verify = verifyChoice(parameters.get('verify')) ?? (implicitTls || startTls === 'required');
  const name = parameters.get('name');
  return {
    name: `${url.hostname}:${port}`,
    host,
    port,
    implicitTls,
    startTls,
    verifyCertificate: verify,
    ...(user
      ? { auth: { user, password: decodeURIComponent(url.password), ...(method ? { method } : {}) } }
      : {}),
    ...(name ? { ehloName: name } : {}),
    weight: positive(parameters, 'weight') ?? 1,
    ...optional('connections', positive(parameters, 'connections')),
    ...optional('perMinute', positive(parameters, 'per-minute')),
  };
}

/** Reads several relays, separated by commas. @throws RangeError as {@link parseRelay} */
export const parseRelays = (text: string): Relay[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseRelay);

function readUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new RangeError('the SMTP URL is no URL; it looks like smtp://user:password@host:587');
  }
  if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:')
    throw new RangeError(`the SMTP URL begins with ${url.protocol}//; smtp:// and smtps:// are understood`);
  if (!url.hostname) throw new RangeError('the SMTP URL names no host');
  return url;
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.');

function tlsChoice(value: string | null, withPassword: boolean): Relay['startTls'] {
  if (value === null) return withPassword ? 'required' : 'offered';
  const choice = TLS_CHOICES.find((known) => known === value);
  if (!choice) throw new RangeError(`tls=${value} in the SMTP URL: it is one of ${TLS_CHOICES.join(', ')}`);
  return choice;
}

function verifyChoice(value: string | null): boolean | undefined {
  if (value === null) return undefined;
  if (value !== 'yes' && value !== 'no')
    throw new RangeError(`verify=${value} in the SMTP URL: it is yes or no`);
  return value === 'yes';
}

function positive(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value))
    throw new RangeError(`${name}=${text} in the SMTP URL: it is a number above 0`);
  return value;
}

const optional = <Key extends string>(key: Key, value: number | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: number };
