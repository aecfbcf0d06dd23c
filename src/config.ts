import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { SETTINGS, type SettingName, type SettingSchema, type Settings, settingEntries } from './settings.ts';

/** The effective configuration: frozen, and discriminated where a service is embedded or external. */
export type Config = {
  readonly database:
    | { readonly kind: 'embedded'; readonly folder: string }
    | { readonly kind: 'external'; readonly url: string };
  readonly databasePool: number;
  readonly queue: { readonly kind: 'postgres' } | { readonly kind: 'redis'; readonly url: string };
  readonly mail:
    | { readonly kind: 'mailbox'; readonly smtpPort: number; readonly webPort: number }
    | { readonly kind: 'smtp'; readonly urls: readonly string[] };
  readonly smtpConnections: number;
  /** As written; parsed by src/mail/throttle.ts and domain-connections.ts. */
  readonly sendLimits: {
    readonly rates: string;
    readonly warmUp: string;
    readonly domainConnections: string;
  };
  readonly dataDir: string;
  /** Null: made once and kept in `dataDir`. */
  readonly secret: string | null;
  readonly web: {
    readonly host: string;
    readonly port: number;
    /** Null: http://localhost:<port>. */
    readonly baseUrl: string | null;
    readonly trustProxy: boolean | string[];
    readonly refuseRoles: boolean;
    /** In lower case. */
    readonly refuseDisposable: boolean;
    readonly refusedDomains: readonly string[];
    readonly checkMx: boolean;
  };
  readonly sender: {
    readonly from: string;
    readonly replyTo: string | null;
    readonly bounceAddress: string | null;
    readonly operatorName: string;
    readonly postalAddress: string | null;
    readonly dkimKeys: readonly {
      readonly domain: string;
      readonly selector: string;
      readonly path: string;
    }[];
  };
  readonly papers: {
    readonly sources: readonly string[];
    readonly arxivCategories: readonly string[];
    readonly contact: string | null;
    readonly patienceMinutes: number;
    /** Null: answers of sources are not kept. */
    readonly keepAnswersIn: string | null;
    /** Where services are asked, where not at their own addresses. */
    readonly addresses: {
      readonly [name in 'huggingFace' | 'arxivFeeds' | 'arxivApi' | 'arxivOai' | 'biorxiv']?: string;
    };
  };
  /** Null: latent semantic analysis. */
  readonly embeddings: {
    readonly url: string;
    readonly model: string | null;
    readonly key: string | null;
    readonly batch: number;
    readonly dimension: number | null;
    readonly paperPrefix: string;
    readonly phrasePrefix: string;
  } | null;
  readonly digests: {
    readonly candidateDays: number;
    readonly deadlineHours: number;
    readonly ledgerDays: number;
    readonly leaseSeconds: number;
    readonly unknownPolicy: 'resend' | 'leave';
  };
  readonly shutdownSeconds: number;
  readonly logLevel: Settings['LOG_LEVEL'];
  /** Names of the settings that were given rather than defaulted. */
  readonly given: ReadonlySet<SettingName>;
  /** What should be set before this is more than a trial on one machine. */
  readonly warnings: readonly string[];
};

/** Every fault of the configuration in one message: variable, value seen, what is accepted. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n  ${faults.join('\n  ')}`,
    );
    this.faults = faults;
  }
}

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment, with `.env` of the working folder behind it: the only place that does.
 * @throws ConfigError listing all faults at once
 */
export function readConfig(environment: Environment = readEnvironment()): Config {
  const { settings, faults, given } = parseSettings(environment);
  const together = checkTogether(settings, given);
  faults.push(...together.faults);
  if (faults.length > 0) throw new ConfigError(faults);
  return toConfig(settings as Settings, given, together.warnings);
}

/** The environment, with `.env` of the working folder behind it. */
export const readEnvironment = (): Environment => ({ ...readEnvFile(), ...process.env });

/** Settings of `.env`, empty where there is no such file. */
export function readEnvFile(folder: string = process.cwd()): Environment {
  try {
    return parseEnv(readFileSync(join(folder, '.env'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError([`.env can't be read: ${(error as Error).message}`]);
  }
}

/** What {@link parseSettings} found: `settings` lacks those with a fault. */
type Parsed = { settings: Partial<Settings>; faults: string[]; given: Set<SettingName> };

/** Checks each variable by itself. An empty value counts as not set. */
export function parseSettings(environment: Environment): Parsed {
  const parsed: Parsed = { settings: {}, faults: [], given: new Set() };
  for (const [name, about] of settingEntries) {
    const seen = environment[name]?.trim();
    if (!seen) {
      if (about.default !== undefined) Object.assign(parsed.settings, { [name]: about.default });
      continue;
    }
    parsed.given.add(name);
    const schema = SETTINGS.properties[name] as TSchema;
    const value = Value.Convert(schema, seen);
    if (Value.Check(schema, value) && isUrlIfUrl(name, seen))
      Object.assign(parsed.settings, { [name]: value });
    else parsed.faults.push(`${name} is ${JSON.stringify(mask(about, seen))}: expected ${about.accepts}.`);
  }
  return parsed;
}

const isUrlIfUrl = (name: string, value: string): boolean =>
  !name.endsWith('_URL') || value.split(',').every((url) => URL.canParse(url.trim()));

/** Settings that a real service can't do without: `names` are needed once `cause` names another machine. */
const NEEDS: readonly { cause: SettingName; names: readonly SettingName[] }[] = [
  { cause: 'DATABASE_URL', names: ['SECRET'] },
  { cause: 'SMTP_URL', names: ['BASE_URL', 'MAIL_FROM', 'POSTAL_ADDRESS'] },
];

/**
 * What one setting demands of the others. On a trial with everything on this machine the defaults do, with a
 * warning; they would be wrong for the readers of a relay elsewhere, and for processes on other machines.
 */
function checkTogether(settings: Partial<Settings>, given: ReadonlySet<SettingName>) {
  const faults: string[] = [];
  const warnings: string[] = [];
  for (const { cause, names } of NEEDS) {
    const url = settings[cause];
    if (!url) continue;
    for (const name of names.filter((name) => !given.has(name))) {
      const about = SETTINGS.properties[name] as unknown as SettingSchema;
      const message = `${name} is not set, and ${cause} is: expected ${about.accepts}.`;
      (list(String(url)).every(isLoopback) ? warnings : faults).push(message);
    }
  }
  const unused = [...given].filter((name) => name.startsWith('EMBEDDINGS_')).join(', ');
  if (unused !== '' && !settings.EMBEDDINGS_URL)
    warnings.push(`EMBEDDINGS_URL is not set, and ${unused} is: it has no effect.`);
  const ports = [settings.PORT, settings.MAILBOX_SMTP_PORT, settings.MAILBOX_WEB_PORT];
  if (!given.has('SMTP_URL') && new Set(ports).size < ports.length)
    faults.push(
      `PORT, MAILBOX_SMTP_PORT and MAILBOX_WEB_PORT are ${ports.join(', ')}: expected three different ports.`,
    );
  return { faults, warnings };
}

/** True when a URL's host is this machine. */
const isLoopback = (url: string): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(URL.parse(url)?.hostname ?? '');

function toConfig(settings: Settings, given: ReadonlySet<SettingName>, warnings: readonly string[]): Config {
  const dataDir = resolve(settings.DATA_DIR);
  return Object.freeze({
    database: settings.DATABASE_URL
      ? { kind: 'external', url: settings.DATABASE_URL }
      : { kind: 'embedded', folder: join(dataDir, 'postgres') },
    databasePool: settings.DATABASE_POOL,
    queue: settings.REDIS_URL ? { kind: 'redis', url: settings.REDIS_URL } : { kind: 'postgres' },
    mail: settings.SMTP_URL
      ? { kind: 'smtp', urls: list(settings.SMTP_URL) }
      : { kind: 'mailbox', smtpPort: settings.MAILBOX_SMTP_PORT, webPort: settings.MAILBOX_WEB_PORT },
    smtpConnections: settings.SMTP_CONNECTIONS,
    sendLimits: {
      rates: settings.SEND_LIMITS ?? '',
      warmUp: settings.WARM_UP ?? '',
      domainConnections: settings.DOMAIN_CONNECTIONS ?? '',
    },
    dataDir,
    secret: settings.SECRET ?? null,
    web: {
      host: settings.HOST,
      port: settings.PORT,
      baseUrl: settings.BASE_URL ? asciiUrl(settings.BASE_URL) : null,
      trustProxy: /^(true|false)$/.test(settings.TRUST_PROXY)
        ? settings.TRUST_PROXY === 'true'
        : list(settings.TRUST_PROXY),
      refuseRoles: settings.REFUSE_ROLE_ADDRESSES === 'true',
      refuseDisposable: settings.REFUSE_DISPOSABLE === 'true',
      refusedDomains: list((settings.REFUSED_DOMAINS ?? '').toLowerCase()),
      checkMx: settings.CHECK_MX === 'true',
    },
    sender: {
      from: settings.MAIL_FROM,
      replyTo: settings.REPLY_TO ?? null,
      bounceAddress: settings.BOUNCE_ADDRESS ?? null,
      operatorName: settings.OPERATOR_NAME,
      postalAddress: settings.POSTAL_ADDRESS ?? null,
      dkimKeys: list(settings.DKIM_KEYS ?? '').map((entry) => {
        const [domain = '', selector = '', ...path] = entry.split(':');
        return { domain, selector, path: resolve(path.join(':')) };
      }),
    },
    papers: {
      sources: list(settings.SOURCES),
      arxivCategories: list(settings.ARXIV_CATEGORIES),
      contact: settings.CONTACT ?? settings.BASE_URL ?? null,
      patienceMinutes: settings.SOURCE_PATIENCE_MINUTES,
      keepAnswersIn: settings.KEEP_ANSWERS_IN ? resolve(settings.KEEP_ANSWERS_IN) : null,
      addresses: sourceAddresses(settings),
    },
    embeddings: settings.EMBEDDINGS_URL
      ? {
          url: settings.EMBEDDINGS_URL,
          model: settings.EMBEDDINGS_MODEL ?? null,
          key: settings.EMBEDDINGS_KEY ?? null,
          batch: settings.EMBEDDINGS_BATCH,
          dimension: settings.EMBEDDINGS_DIMENSION || null,
          paperPrefix: settings.EMBEDDINGS_PAPER_PREFIX ?? '',
          phrasePrefix: settings.EMBEDDINGS_PHRASE_PREFIX ?? '',
        }
      : null,
    digests: {
      candidateDays: settings.CANDIDATE_DAYS,
      deadlineHours: settings.DEADLINE_HOURS,
      ledgerDays: settings.LEDGER_DAYS,
      leaseSeconds: settings.LEASE_SECONDS,
      unknownPolicy: settings.UNKNOWN_POLICY,
    },
    shutdownSeconds: settings.SHUTDOWN_SECONDS,
    logLevel: settings.LOG_LEVEL,
    given,
    warnings,
  } satisfies Config);
}

/** The addresses of sources that were set. */
function sourceAddresses(settings: Settings): Config['papers']['addresses'] {
  return {
    ...(settings.HUGGINGFACE_URL ? { huggingFace: settings.HUGGINGFACE_URL } : {}),
    ...(settings.ARXIV_FEED_URL ? { arxivFeeds: settings.ARXIV_FEED_URL } : {}),
    ...(settings.ARXIV_API_URL ? { arxivApi: settings.ARXIV_API_URL } : {}),
    ...(settings.ARXIV_OAI_URL ? { arxivOai: settings.ARXIV_OAI_URL } : {}),
    ...(settings.BIORXIV_URL ? { biorxiv: settings.BIORXIV_URL } : {}),
  };
}

const list = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** A value as it may be shown: secrets masked, of URLs only the password. */
export function mask(about: Pick<SettingSchema, 'secret'>, value: string): string {
  if (about.secret === 'value') return '********';
  if (about.secret === 'url')
    return value
      .replace(/(:\/\/[^:/@\s]*:)[^\s,]*@/g, '$1********@')
      .replace(/(password=)[^\s&]+/gi, '$1********');
  return value;
}

/** A URL in ASCII (IDNA host, percent-encoded path), as headers need it; without a slash at its end. */
function asciiUrl(url: string): string {
  return (URL.canParse(url) ? new URL(url).href : url).replace(/\/+$/, '');
}
