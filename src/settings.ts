import { type Static, Type } from 'typebox';

/** What a setting says of itself besides its JSON Schema; documentation and fault messages are made from it. */
type About = {
  readonly description: string;
  /** What is accepted, as the end of a sentence: "a whole number from 1 to 65535". */
  readonly accepts: string;
  readonly group: 'Services' | 'Web' | 'Mail' | 'Papers' | 'Matching' | 'Digests' | 'Operation';
  /** `value`: masked whole wherever it is shown · `url`: only the password in the URL is. */
  readonly secret?: 'value' | 'url';
};

const optionalText = (pattern: string, about: About) => Type.Optional(Type.String({ pattern, ...about }));
const text = (fallback: string, pattern: string, about: About) =>
  Type.String({ default: fallback, pattern, ...about });
const whole = (fallback: number, minimum: number, maximum: number, about: Omit<About, 'accepts'>) =>
  Type.Integer({
    default: fallback,
    minimum,
    maximum,
    accepts: `a whole number from ${minimum} to ${maximum}`,
    ...about,
  });
const choice = <const Values extends readonly [string, ...string[]]>(
  values: Values,
  fallback: Values[number],
  about: Omit<About, 'accepts'>,
) =>
  Type.Unsafe<Values[number]>({
    type: 'string',
    enum: values,
    default: fallback,
    accepts: values.join(' | '),
    ...about,
  });

/** The address of a source's service, for those behind a mirror or a proxy. */
const mirror = (own: string, asked: string) =>
  optionalText('^https?://[^\\s/?#@]+(/[^\\s?#]*)?$', {
    group: 'Papers',
    description: `A mirror or proxy to ask for ${asked}; it may be on an internal address. Not set: ${own}.`,
    accepts: 'http://host[:port][/path] or https://…, without a password',
  });

const ADDRESS = '[^\\s<>@,;]+@[^\\s<>@,;]+';

/**
 * Every setting: an environment variable or a line of `.env`. The one schema behind parsing, fault messages,
 * `paperboy config` and docs/configuration.md.
 */
export const SETTINGS = Type.Object({
  DATABASE_URL: optionalText('^postgres(ql)?://[^/]+/.+', {
    group: 'Services',
    description: 'PostgreSQL 15 or newer. Not set: an embedded PostgreSQL 18 in DATA_DIR.',
    accepts: 'postgres://user:password@host:5432/database',
    secret: 'url',
  }),
  DATABASE_POOL: whole(10, 2, 500, {
    group: 'Services',
    description: 'Database connections of one process at most.',
  }),
  REDIS_URL: optionalText('^rediss?://.+', {
    group: 'Services',
    description: 'Redis 6.2 or newer for the queue. Not set: the queue lives in the PostgreSQL database.',
    accepts: 'redis://[:password@]host:6379[/0] or rediss://…',
    secret: 'url',
  }),
  SMTP_URL: optionalText('^smtps?://[^,\\s]+(\\s*,\\s*smtps?://[^,\\s]+)*$', {
    group: 'Services',
    description:
      'The relay that mails go out by; several, separated by commas, share the load. Not set: a local mailbox, and no mail leaves the machine.',
    accepts: 'smtp://[user:password@]host[:port] or smtps://…, several separated by commas',
    secret: 'url',
  }),
  DATA_DIR: text('data', '.', {
    group: 'Services',
    description:
      'Folder of the embedded database, the local mailbox, the generated secret and the send journal.',
    accepts: 'a folder that can be written to',
  }),
  SECRET: optionalText('^.{32,}$', {
    group: 'Services',
    description:
      'Signs every link and keys the hashes of addresses. Needed with a DATABASE_URL on another machine (openssl rand -base64 32); changing it breaks all links mailed so far. Not set: made once and kept in DATA_DIR.',
    accepts: '32 characters or more',
    secret: 'value',
  }),
  HOST: text('127.0.0.1', '^[^\\s/]+$', {
    group: 'Web',
    description: 'Address the web server listens on; 0.0.0.0 for all.',
    accepts: 'an IP address or host name',
  }),
  PORT: whole(8080, 1, 65535, {
    group: 'Web',
    description: 'Port of the web server. Not set and taken: `start` uses the next free one.',
  }),
  BASE_URL: optionalText('^https?://[^/?#\\s]+(/[^?#\\s]*)?$', {
    group: 'Web',
    description:
      'Address of the pages as readers reach it, for the links in mails. Needed with an SMTP_URL on another machine.',
    accepts: 'https://papers.example.org, without query',
  }),
  TRUST_PROXY: text('false', '^(true|false|[0-9a-fA-F.:/]+(\\s*,\\s*[0-9a-fA-F.:/]+)*)$', {
    group: 'Web',
    description: 'Whose X-Forwarded-For is believed: the addresses of your reverse proxy.',
    accepts: 'true | false | IP addresses or CIDR ranges separated by commas',
  }),
  REFUSE_ROLE_ADDRESSES: choice(['false', 'true'], 'false', {
    group: 'Web',
    description:
      'Whether addresses of functions rather than people (info@, postmaster@ …) may not subscribe.',
  }),
  REFUSE_DISPOSABLE: choice(['false', 'true'], 'false', {
    group: 'Web',
    description:
      'Whether addresses at known throw-away mailboxes may not subscribe (the public list disposable-email-domains, as of this release).',
  }),
  REFUSED_DOMAINS: optionalText('^[A-Za-z0-9.-]+(\\s*,\\s*[A-Za-z0-9.-]+)*$', {
    group: 'Web',
    description: 'Further domains whose addresses may not subscribe; their subdomains too.',
    accepts: 'domains in ASCII, separated by commas',
  }),
  CHECK_MX: choice(['false', 'true'], 'false', {
    group: 'Web',
    description:
      'Whether the domain of an address must take mail (MX or address records in the DNS) to subscribe.',
  }),
  MAIL_FROM: text('Paperboy <paperboy@localhost>', `^(${ADDRESS}|[^\\r\\n<>]+<${ADDRESS}>)$`, {
    group: 'Mail',
    description: 'Sender that readers see. Needed with an SMTP_URL on another machine.',
    accepts: 'Name <address@example.org>',
  }),
  REPLY_TO: optionalText(`^${ADDRESS}$`, {
    group: 'Mail',
    description: 'Where answers of readers go. Not set: to MAIL_FROM.',
    accepts: 'an e-mail address',
  }),
  BOUNCE_ADDRESS: optionalText(`^${ADDRESS}$`, {
    group: 'Mail',
    description:
      'Envelope sender; each mail gets its own (`bounces+…@`), so that a bounce names its digest. Not set: the address of MAIL_FROM.',
    accepts: 'an e-mail address whose mailbox takes `+` extensions',
  }),
  OPERATOR_NAME: text('Paperboy', '^[^\\r\\n]{1,120}$', {
    group: 'Mail',
    description: 'Who runs this service, as pages and mails say it.',
    accepts: 'one line of up to 120 characters',
  }),
  POSTAL_ADDRESS: optionalText('^[^\\r\\n]{5,300}$', {
    group: 'Mail',
    description:
      'Postal address at the foot of every mail: the law of many countries wants it. Needed with an SMTP_URL on another machine.',
    accepts: 'one line',
  }),
  DKIM_KEYS: optionalText('^[^\\s:]+:[^\\s:]+:[^,]+(,[^\\s:]+:[^\\s:]+:[^,]+)*$', {
    group: 'Mail',
    description:
      'Keys that sign the mails, where the relay does not; RSA and Ed25519 may stand side by side.',
    accepts: 'domain:selector:path of a PEM file, several separated by commas',
  }),
  SMTP_CONNECTIONS: whole(10, 1, 500, {
    group: 'Mail',
    description:
      'Connections of one process to the relay at most; about the wanted messages per second × the latency.',
  }),
  SEND_LIMITS: optionalText(
    '^\\s*(\\*|[A-Za-z0-9.-]+)\\s*=\\s*[1-9]\\d*(\\s*,\\s*(\\*|[A-Za-z0-9.-]+)\\s*=\\s*[1-9]\\d*)*\\s*$',
    {
      group: 'Mail',
      description:
        'Digests a minute at most, kept by all workers together: to one domain, and `*` for all. Not set: as fast as the relay takes them. A domain that answers 421 or 4.7.x is left alone for a while in any case.',
      accepts: 'domain=number, several separated by commas, such as *=6000, example.org=600',
    },
  ),
  DOMAIN_CONNECTIONS: optionalText(
    '^\\s*(\\*|[A-Za-z0-9.-]+)\\s*=\\s*[1-9]\\d*(\\s*,\\s*(\\*|[A-Za-z0-9.-]+)\\s*=\\s*[1-9]\\d*)*\\s*$',
    {
      group: 'Mail',
      description:
        'Digests on their way to one domain at the same time at most, and so connections used for it, kept by all workers together; `*` is each domain that is not named. Not set: as many as SMTP_CONNECTIONS allows.',
      accepts: 'domain=number, several separated by commas, such as *=20, example.org=4',
    },
  ),
  WARM_UP: optionalText('^\\d{4}-\\d{2}-\\d{2}\\s*:\\s*\\d+(\\s+\\d+)*$', {
    group: 'Mail',
    description:
      'Digests on each of the first days of a new sender, whose reputation has to grow; from the day after the last one there is no limit.',
    accepts: 'first day and numbers, such as 2026-11-21: 50 100 200 400 800',
  }),
  MAILBOX_SMTP_PORT: whole(1025, 1, 65535, {
    group: 'Mail',
    description: 'SMTP port of the local mailbox. Not set and taken: the next free one.',
  }),
  MAILBOX_WEB_PORT: whole(1080, 1, 65535, {
    group: 'Mail',
    description: 'Port of the local mailbox’ web inbox. Not set and taken: the next free one.',
  }),
  SOURCES: text('huggingface,arxiv', '^[a-z]+(\\s*,\\s*[a-z]+)*$', {
    group: 'Papers',
    description: 'The sources that are polled, and `sample` for the papers that come with Paperboy.',
    accepts: 'names separated by commas: huggingface, arxiv, biorxiv, medrxiv, sample',
  }),
  ARXIV_CATEGORIES: text('cs.AI,cs.CL,cs.CV,cs.LG,stat.ML', '^[A-Za-z.*-]+(\\s*,\\s*[A-Za-z.*-]+)*$', {
    group: 'Papers',
    description: 'arXiv categories whose announcements are read.',
    accepts: 'category names separated by commas; `cs.*` is a whole archive',
  }),
  HUGGINGFACE_URL: mirror('https://huggingface.co', '`/api/daily_papers`'),
  ARXIV_FEED_URL: mirror('https://rss.arxiv.org', 'arXiv’s feeds, `/atom/CATEGORY`'),
  ARXIV_API_URL: mirror('https://export.arxiv.org', 'arXiv’s `/api/query`'),
  ARXIV_OAI_URL: mirror('https://oaipmh.arxiv.org/oai', 'arXiv’s OAI-PMH'),
  BIORXIV_URL: mirror('https://api.biorxiv.org', '`/details/biorxiv/…` and `/details/medrxiv/…`'),
  CONTACT: optionalText('^[^\\r\\n]{3,200}$', {
    group: 'Papers',
    description:
      'Address or page that the sources can reach you by: sent in the User-Agent. Not set: BASE_URL.',
    accepts: 'an e-mail address or a URL',
  }),
  SOURCE_PATIENCE_MINUTES: whole(0, 0, 720, {
    group: 'Papers',
    description:
      'How long digests wait for a source whose list of the day is late, from each reader’s hour on; then they go out without it and say so. 0: nobody waits.',
  }),
  KEEP_ANSWERS_IN: optionalText('.', {
    group: 'Papers',
    description: 'Folder in which every answer of a source is kept, for finding faults. Not set: none is.',
    accepts: 'a folder that can be written to',
  }),
  EMBEDDINGS_URL: optionalText('^https?://[^/?#\\s@]+(/[^#\\s]*)?$', {
    group: 'Matching',
    description:
      'Server that turns papers and phrases into vectors: OpenAI’s `/v1/embeddings` (also vLLM, Ollama, llama.cpp) or `/embed` of text-embeddings-inference. It is sent titles, abstracts and followed phrases, nothing else. Not set: meaning is compared by latent semantic analysis, and nothing is sent anywhere.',
    accepts: 'http://embeddings.internal:8080, with or without the path',
  }),
  EMBEDDINGS_MODEL: optionalText('^[^\\r\\n]{1,200}$', {
    group: 'Matching',
    description:
      'Model that is asked for, and the name its vectors are kept under: another name makes all of them anew. Not set: the server’s own choice, kept under its URL.',
    accepts: 'the name of a model, such as BAAI/bge-m3',
  }),
  EMBEDDINGS_KEY: optionalText('^[\\x21-\\x7e]+$', {
    group: 'Matching',
    description: 'Key of that server, sent as `Authorization: Bearer …`.',
    accepts: 'one word of visible ASCII characters',
    secret: 'value',
  }),
  EMBEDDINGS_BATCH: whole(32, 1, 2048, {
    group: 'Matching',
    description: 'Texts in one request at most.',
  }),
  EMBEDDINGS_DIMENSION: whole(0, 0, 16384, {
    group: 'Matching',
    description:
      'Numbers in a vector, asked for as `dimensions` and insisted on; 0: as many as the model gives. Fewer take less space and time.',
  }),
  EMBEDDINGS_PAPER_PREFIX: optionalText('^[^\\r\\n]{1,500}$', {
    group: 'Matching',
    description: 'Put before every paper, as some models want it, such as `passage:`.',
    accepts: 'one line',
  }),
  EMBEDDINGS_PHRASE_PREFIX: optionalText('^[^\\r\\n]{1,500}$', {
    group: 'Matching',
    description: 'Put before every phrase, such as `query:`.',
    accepts: 'one line',
  }),
  CANDIDATE_DAYS: whole(7, 1, 60, {
    group: 'Digests',
    description: 'How many days back a listing may be for its paper to be a candidate of today.',
  }),
  DEADLINE_HOURS: whole(36, 1, 96, {
    group: 'Digests',
    description: 'A digest that could not be delivered this long after its hour is given up.',
  }),
  LEDGER_DAYS: whole(400, 100, 36_500, {
    group: 'Digests',
    description:
      'How many days digests are kept, in the ledger and in the archive and export of their readers; then whole months are removed. What is in doubt stays until it is settled. A paper first listed longer ago is no candidate any more, so that none is mailed twice.',
  }),
  LEASE_SECONDS: whole(120, 5, 3600, {
    group: 'Digests',
    description: 'How long a worker may hold digests before another takes them for lost.',
  }),
  UNKNOWN_POLICY: choice(['resend', 'leave'], 'resend', {
    group: 'Digests',
    description:
      'A digest that may or may not have arrived when the connection broke: resend once under the same Message-ID, or leave.',
  }),
  SHUTDOWN_SECONDS: whole(30, 2, 600, {
    group: 'Operation',
    description:
      'Seconds after SIGTERM within which the process ends. What is on the wire may finish in the first 60 % of them, the rest is given back at once; stay below what the supervisor waits before it kills (Docker 10, systemd 90).',
  }),
  LOG_LEVEL: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'info', {
    group: 'Operation',
    description:
      'Least severe log line that is written. `start` on a terminal writes from `warn` on unless this is set.',
  }),
});

/** The settings as parsed: defaults filled in, not yet turned into a {@link ./config.ts Config}. */
export type Settings = Static<typeof SETTINGS>;
/** Name of a setting. */
export type SettingName = keyof Settings;

/** A setting's schema with what it says of itself. */
export type SettingSchema = About & { readonly default?: string | number | boolean };

/** Names and schemas in the order of the documentation. */
export const settingEntries = Object.entries(SETTINGS.properties) as unknown as readonly [
  SettingName,
  SettingSchema,
][];
