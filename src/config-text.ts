import { type Environment, mask, parseSettings, readEnvironment } from './config.ts';
import { type SettingName, settingEntries } from './settings.ts';

/** One line of `paperboy config`. */
export type ShownSetting = {
  readonly name: SettingName;
  /** Null when it is neither given nor defaulted. */
  readonly value: string | null;
  readonly from: 'environment' | 'default';
};

/** The effective settings with secrets masked, for `paperboy config`. */
export function showSettings(environment: Environment = readEnvironment()): ShownSetting[] {
  const { settings, given } = parseSettings(environment);
  return settingEntries.map(([name, about]) => ({
    name,
    value: settings[name] === undefined ? null : mask(about, String(settings[name])),
    from: given.has(name) ? 'environment' : 'default',
  }));
}

/** docs/configuration.md, made from the schema. */
export function settingsMarkdown(): string {
  const groups = Map.groupBy(settingEntries, ([, about]) => about.group);
  const sections = [...groups].map(([group, entries]) => {
    const rows = entries.map(([name, about]) => {
      const fallback = about.default === undefined ? '' : `\`${about.default}\``;
      return `| \`${name}\` | ${about.description} | ${about.accepts.replaceAll('|', '\\|')} | ${fallback} |`;
    });
    return [
      `## ${group}`,
      '',
      '| setting | meaning | accepted | default |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  const head = [
    '# Configuration',
    '',
    '<!-- Made by `npm run paperboy -- config --markdown` from src/settings.ts: change it there. -->',
    '',
    'Settings are environment variables, or lines of a file `.env` in the working folder (the environment wins).',
    '`npx paperboy config` prints the effective ones, secrets masked; a fault is answered with the variable, the value seen and what is accepted.',
  ].join('\n');
  return `${head}\n\n${sections.join('\n\n')}\n`;
}
