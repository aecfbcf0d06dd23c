import { type Command, InvalidArgumentError } from 'commander';
import { createApiKeys, SCOPES, type Scope } from '#src/web/api/api-key-store.ts';
import { CommandError, type Io, table } from './io.ts';
import { withServices } from './with-services.ts';

/** `paperboy api-key create | list | revoke` */
export function registerApiKeys(program: Command, io: Io): void {
  const group = program.command('api-key').description('Make, list and revoke keys of the HTTP API');
  group
    .command('create')
    .description('Make a key; it is printed this once and stored as a hash only')
    .argument('<name>', 'what it is for')
    .requiredOption(
      '--scopes <scopes>',
      `some of ${SCOPES.join(', ')}, separated by commas; or all`,
      parseScopes,
    )
    .option('--json', 'print {"id", "key"}')
    .action((name: string, options: { scopes: Scope[]; json?: boolean }) =>
      withKeys(async (keys) => {
        const made = await keys.create(name, options.scopes);
        io.out(options.json ? JSON.stringify(made) : made.key);
      }),
    );
  group
    .command('list')
    .description('List all keys, revoked ones included')
    .option('--json', 'one JSON object a line')
    .action((options: { json?: boolean }) => withKeys(async (keys) => list(io, await keys.list(), options)));
  group
    .command('revoke')
    .description('End a key at once')
    .argument('<id>', 'its number, see `api-key list`', Number)
    .action((id: number) =>
      withKeys(async (keys) => {
        if (!Number.isSafeInteger(id) || !(await keys.revoke(id)))
          throw new CommandError(`There is no key ${id} in force; see \`paperboy api-key list\`.`);
        io.err('Revoked.');
      }),
    );
}

type Keys = ReturnType<typeof createApiKeys>;

const withKeys = (work: (keys: Keys) => Promise<void>): Promise<void> =>
  withServices(({ backing }) => work(createApiKeys({ database: backing.database, now: () => new Date() })));

function parseScopes(text: string): Scope[] {
  if (text === 'all') return [...SCOPES];
  const scopes = text.split(',').map((scope) => scope.trim());
  const wrong = scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`"${wrong}" is no scope; there are ${SCOPES.join(', ')}.`);
  return scopes as Scope[];
}

function list(io: Io, keys: Awaited<ReturnType<Keys['list']>>, options: { json?: boolean }): void {
  if (options.json) {
    for (const key of keys) io.out(JSON.stringify(key));
    return;
  }
  const rows = keys.map((key) => ({
    id: key.id,
    name: key.name,
    scopes: key.scopes.join(' '),
    created: key.createdAt.toISOString().slice(0, 10),
    used: key.lastUsedAt?.toISOString().slice(0, 10) ?? '',
    revoked: key.revokedAt?.toISOString().slice(0, 10) ?? '',
  }));
  io.out(table(rows));
}
