import { destination, type Logger, type LoggerOptions, pino } from 'pino';

/** The service's logger: object first, message second. */
export type Log = Logger;

/**
 * Makes the logger. Addresses, tokens and secrets never reach a log: known paths are redacted here, and URLs with a
 * token are logged without it by the web app.
 * @param options.pretty for a person at a terminal rather than a log collector
 * @param options.command of a command, whose standard output is for its data: the log goes to standard error
 */
export function createLog(options: { level: string; pretty: boolean; command?: boolean }): Log {
  const settings: LoggerOptions = {
    level: options.level,
    redact: {
      paths: [
        'email',
        '*.email',
        'to',
        'envelope.to',
        'token',
        '*.token',
        'secret',
        'password',
        'headers.authorization',
        'headers.cookie',
      ],
      censor: '[redacted]',
    },
    ...(options.pretty
      ? {
          transport: {
            target: 'pino-pretty',
            options: { ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', destination: 2 },
          },
        }
      : {}),
  };
  return options.command && !options.pretty ? pino(settings, destination(2)) : pino(settings);
}
