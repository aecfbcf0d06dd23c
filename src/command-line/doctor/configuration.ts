import type { Config } from '#src/config.ts';
import { parseDomainConnections } from '#src/mail/domain-connections.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';
import { parseLimits } from '#src/mail/throttle.ts';
import { createSources } from '#src/papers/sources/sources.ts';
import { dkimKeysOf } from '#src/signer.ts';
import { type Finding, failed, ok, warning, wordsOf } from './check.ts';

/** Name of the check whose failure is exit code 2. */
export const CONFIGURATION = 'configuration';

/** What the settings say, read as the service would read them: faults that it meets later than at its first line included. */
export function checkConfiguration(config: Config): Finding[] {
  const faults = [
    faultOf('SMTP_URL', () => config.mail.kind === 'smtp' && config.mail.urls.map(parseRelay)),
    faultOf('SEND_LIMITS, WARM_UP', () => parseLimits(config.sendLimits.rates, config.sendLimits.warmUp)),
    faultOf('DOMAIN_CONNECTIONS', () => parseDomainConnections(config.sendLimits.domainConnections)),
    faultOf('DKIM_KEYS', () => dkimKeysOf(config)),
    ...unknownSources(config.papers.sources),
  ].filter((fault) => fault !== null);
  return [
    ...faults.map((fault) => configurationFault(fault)),
    ...config.warnings.map((text) =>
      warning(CONFIGURATION, text, 'docs/configuration.md says what it takes'),
    ),
    ...(faults.length + config.warnings.length === 0
      ? [
          ok(
            CONFIGURATION,
            config.given.size === 0
              ? 'nothing is set: a trial, with everything on this machine'
              : `sound; set: ${[...config.given].join(', ')}`,
          ),
        ]
      : []),
  ];
}

/** A fault of the settings, as a finding. */
export const configurationFault = (fault: string): Finding =>
  failed(
    CONFIGURATION,
    fault,
    'mend it in the environment or in .env; `paperboy config` shows what is in force',
  );

function faultOf(setting: string, read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (error) {
    const words = wordsOf(error).replace(/^The configuration has a fault: /, '');
    return words.includes(setting.split(',')[0] ?? setting) ? words : `${setting}: ${words}`;
  }
}

function unknownSources(names: readonly string[]): string[] {
  const known = [...createSources().keys()];
  return names
    .filter((name) => !known.includes(name))
    .map((name) => `SOURCES names "${name}", which is no source; there are: ${known.join(', ')}.`);
}
