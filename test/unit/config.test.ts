import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '#src/config.ts';
import { settingsMarkdown, showSettings } from '#src/config-text.ts';
import { settingEntries } from '#src/settings.ts';

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe('readConfig', () => {
  test('nothing set: everything embedded, queue in PostgreSQL, mails stay here', () => {
    const config = readConfig({});
    expect(config.database.kind).toBe('embedded');
    expect(config.queue).toEqual({ kind: 'postgres' });
    expect(config.mail).toEqual({ kind: 'mailbox', smtpPort: 1025, webPort: 1080 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('external services are told apart by kind', () => {
    const config = readConfig({
      DATABASE_URL: 'postgres://u:p@db/papers',
      SECRET: 'x'.repeat(32),
      REDIS_URL: 'redis://cache:6379',
      SMTP_URL: 'smtp://one, smtps://u:p@two:465',
      BASE_URL: 'https://papers.example.org/',
      MAIL_FROM: 'Papers <papers@example.org>',
      POSTAL_ADDRESS: '1 Example Street, Exampletown',
    });
    expect(config.database).toEqual({ kind: 'external', url: 'postgres://u:p@db/papers' });
    expect(config.queue).toEqual({ kind: 'redis', url: 'redis://cache:6379' });
    expect(config.mail).toEqual({ kind: 'smtp', urls: ['smtp://one', 'smtps://u:p@two:465'] });
    expect(config.web.baseUrl).toBe('https://papers.example.org');
  });

  test('all faults come at once, each with variable, value and what is accepted', () => {
    const faults = faultsOf({
      PORT: '80a',
      LEASE_SECONDS: '1',
      UNKNOWN_POLICY: 'guess',
      DATABASE_URL: 'mysql://h/x',
    });
    expect(faults).toHaveLength(4);
    expect(faults).toContain('PORT is "80a": expected a whole number from 1 to 65535.');
    expect(faults).toContain('UNKNOWN_POLICY is "guess": expected resend | leave.');
  });

  test('what readers elsewhere would miss is a fault, on one machine a warning', () => {
    const elsewhere = faultsOf({ DATABASE_URL: 'postgres://u@db/x', SMTP_URL: 'smtp://relay' });
    expect(elsewhere.map((fault) => fault.split(' ')[0])).toEqual([
      'SECRET',
      'BASE_URL',
      'MAIL_FROM',
      'POSTAL_ADDRESS',
    ]);
    const here = readConfig({ DATABASE_URL: 'postgres://u@127.0.0.1/x', SMTP_URL: 'smtp://localhost:2525' });
    expect(here.warnings).toHaveLength(4);
  });

  test('an empty value counts as not set', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '  ' }).web.port).toBe(8080);
  });

  test('no secret is ever shown, neither in faults nor in the effective configuration', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9@:]{12,20}$/).map((text) => `Zq${text}`);
    fc.assert(
      fc.property(secret, (password) => {
        const environment = {
          DATABASE_URL: `mysql://u:${password}@h/x`,
          SMTP_URL: `smtp://u:${password}@h`,
          SECRET: password,
          EMBEDDINGS_URL: 'http://127.0.0.1',
          EMBEDDINGS_KEY: password,
        };
        const shown = JSON.stringify([faultsOf(environment), showSettings(environment)]);
        expect(shown).not.toContain(password);
      }),
    );
  });
});

test('docs/configuration.md is the one made from the schema', () => {
  const file = join(import.meta.dirname, '../../docs/configuration.md');
  expect(readFileSync(file, 'utf8')).toBe(settingsMarkdown());
  for (const [name] of settingEntries) expect(settingsMarkdown()).toContain(`\`${name}\``);
});

test('an embeddings endpoint is set as a whole, and its settings say so when it is not there', () => {
  expect(readConfig({}).embeddings).toBeNull();
  expect(
    readConfig({
      EMBEDDINGS_URL: 'http://gpu.internal:8080/v1',
      EMBEDDINGS_MODEL: 'm',
      EMBEDDINGS_DIMENSION: '256',
    }).embeddings,
  ).toEqual({
    url: 'http://gpu.internal:8080/v1',
    model: 'm',
    key: null,
    batch: 32,
    dimension: 256,
    paperPrefix: '',
    phrasePrefix: '',
  });
  expect(readConfig({ EMBEDDINGS_MODEL: 'm', EMBEDDINGS_KEY: 'k' }).warnings.join()).toContain(
    'EMBEDDINGS_URL is not set, and EMBEDDINGS_MODEL, EMBEDDINGS_KEY is',
  );
  const faults = faultsOf({ EMBEDDINGS_URL: 'gpu:8080', EMBEDDINGS_BATCH: '0', EMBEDDINGS_DIMENSION: '-1' });
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
    'EMBEDDINGS_URL',
    'EMBEDDINGS_BATCH',
    'EMBEDDINGS_DIMENSION',
  ]);
});

test('answers are kept where KEEP_ANSWERS_IN says, and nowhere without it', () => {
  expect(readConfig({}).papers.keepAnswersIn).toBeNull();
  expect(readConfig({ KEEP_ANSWERS_IN: 'kept' }).papers.keepAnswersIn).toMatch(/^[/].*[/]kept$/);
});
