/**
 * The log: structured (pino), one line an event, on standard error. Secrets are hidden by the names of their members,
 * and control characters are escaped in both forms, so that text from outside cannot forge lines or colours.
 */
import pino from 'pino';
import pretty from 'pino-pretty';

export type Logger = pino.Logger;

const secretMembers = [
  'password',
  'token',
  'access_token',
  'refresh_token',
  'accessToken',
  'refreshToken',
  'setup_url',
  'setupUrl',
  'authorization',
  'cookie',
  'secret',
];

/** Members whose values are never written: in a logged object, in its members, and in the members of those. */
export const redactedPaths = ['', '*.', '*.*.'].flatMap((depth) => secretMembers.map((name) => depth + name));

export interface LogOptions {
  readonly level: 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** `json` one object a line; `pretty` for people. */
  readonly format: 'json' | 'pretty';
}

/** The process's logger. Writes to standard error, so that standard output carries answers alone. */
export function createLogger(options: LogOptions): Logger {
  return createLoggerTo(pino.destination({ fd: 2, sync: true }), options, process.stderr.isTTY === true);
}

/** A logger that writes its lines to `out`; `colour` only counts for `pretty`. */
export function createLoggerTo(out: pino.DestinationStream, options: LogOptions, colour: boolean): Logger {
  const base: pino.LoggerOptions = {
    level: options.level,
    redact: { paths: redactedPaths, censor: '[hidden]' },
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (options.format === 'json') return pino(base, { write: (line) => out.write(escapeRest(line, '\\u')) });
  const messageFormat: pretty.MessageFormatFunc = (log, key) => String(log[key]).replaceAll('\n', '\\n');
  const printer = pretty.prettyFactory({ colorize: colour, messageFormat });
  return pino(base, { write: (line) => out.write(printer(keepEscaped(line)) ?? '') });
}

/** JSON escapes the control characters below U+0020 alone; terminals also obey these. */
function escapeRest(line: string, prefix: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (found) => prefix + found.charCodeAt(0).toString(16).padStart(4, '0'),
  );
}

/** JSON whose escaped control characters are still escapes after parsing; line ends of stacks become line ends. */
function keepEscaped(line: string): string {
  const visible = line.replace(/\\(?:\\|u00[01][0-9a-f]|[bfrt])/gi, (found) =>
    found === '\\\\' ? found : `\\${found}`,
  );
  return escapeRest(visible, '\\\\u');
}
