import type { Command } from 'commander';
import { readConfig } from '#src/config.ts';
import { settingsMarkdown, showSettings } from '#src/config-text.ts';
import { type Io, table } from './io.ts';

/** `paperboy config` */
export function registerConfig(program: Command, io: Io): void {
  program
    .command('config')
    .description('Print the effective configuration, secrets masked; exit 2 when it has a fault')
    .option('--json', 'as JSON: {"NAME": {"value", "from"}}')
    .option('--markdown', 'print docs/configuration.md, made from the schema')
    .action((options: { json?: boolean; markdown?: boolean }) => {
      if (options.markdown) return io.out(settingsMarkdown().trimEnd());
      const shown = showSettings();
      if (options.json)
        io.out(JSON.stringify(Object.fromEntries(shown.map(({ name, ...rest }) => [name, rest])), null, 2));
      else
        io.out(
          table(shown.map(({ name, value, from }) => ({ setting: name, value: value ?? '(not set)', from }))),
        );
      readConfig();
    });
}
