/** The log: structured (pino), one line an event, secrets and control characters never in it. */
import pino from 'pino';

export type Logger = pino.Logger;

/** Members whose values are never written, wherever they stand in a logged object. */
export const redactedPaths = [
  'password',
  'token',
  'access_token',
  'refresh_token',
  'setup_url',
  'authorization',
  'cookie',
  'secret',
  '*.password',
  '*.token',
  '*.access_token',
  '*.refresh_token',
  '*.setup_url',
  '*.authorization',
  '*.cookie',
  '*.secret',
];

export interface LogOptions {
  readonly level: 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** `json` one object a line; `pretty` for people. */
  readonly format: 'json' | 'pretty';
}

/** The process's logger. Writes to standard error, so that standard output carries answers alone. */
export function createLogger(options: LogOptions): Logger {
  const base: pino.LoggerOptions = {
    level: options.level,
    redact: { paths: redactedPaths, censor: '[hidden]' },
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (options.format === 'json') return pino(base, pino.destination({ fd: 2, sync: true }));
  return pino(
    base,
    pino.transport({ target: 'pino-pretty', options: { destination: 2, colorize: process.stderr.isTTY === true } }),
  );
}
