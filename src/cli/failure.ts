/** How a command ends badly: one sentence on standard error that says what to do next, and an exit code. */
import type { ProblemError } from '../client/problem-error.ts';
import { isStrongroomError } from '../kernel/errors.ts';
import { type ExitCode, exitCodeOfKind, exitCodeOfStatus, exitCodes } from './exit-codes.ts';

/** A failure that is already worded for the person at the terminal. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  /** Nothing is printed where the command has said everything already. */
  readonly silent: boolean;

  constructor(exitCode: ExitCode, message: string, options: { silent?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.silent = options.silent ?? false;
  }
}

/** Ends the command with this code; what there was to say stands on the terminal already. */
export function endWith(exitCode: ExitCode): CommandFailure {
  return new CommandFailure(exitCode, '', { silent: true });
}

/** What to do next, by code of the refusal. */
const advice: Readonly<Record<string, string>> = {
  slug_taken: 'Choose another --slug, or leave it out.',
  company_not_empty: 'Add --confirm with the slug of the company.',
  confirmation_wrong: 'Look it up with `strongroom companies list`.',
  invalid_credentials: 'Check --user, --company and the password.',
  unauthenticated: 'Sign in with --company, --user and --password-stdin, or set STRONGROOM_TOKEN.',
  username_taken: 'Choose another --username.',
  filename_taken: 'Add --on-conflict version or --on-conflict rename.',
  migration_running: 'Wait for it, or stop it with DELETE /api/system/migrations/{id}.',
  not_found: 'Check the name or id.',
};

/** A refusal of the server as a failure of the command. */
export function refusal({ status, code, message }: ProblemError): CommandFailure {
  const next = advice[code] ?? (status >= 500 && status !== 503 ? 'See the log of the server.' : '');
  return new CommandFailure(exitCodeOfStatus(status), next === '' ? message : `${message} ${next}`);
}

/** Any error as a failure of the command. */
export function toFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (isStrongroomError(error)) {
    const fields = error.kind === 'invalid' && error.code !== 'config_invalid' ? (error.fields ?? []) : [];
    const listed = fields.map(({ path, message }) => ` ${path}: ${message}.`).join('');
    const next = advice[error.code];
    return new CommandFailure(
      exitCodeOfKind(error.kind),
      `${error.message}${listed}${next === undefined ? '' : ` ${next}`}`,
      { cause: error },
    );
  }
  if (isNoAnswer(error)) {
    const text = 'No server answers there. Check --url, or start one with `strongroom serve`.';
    return new CommandFailure(exitCodes.unavailable, text, { cause: error });
  }
  if (isBrokenOff(error)) {
    const text = 'The server closed the connection before it answered. See what was done, and try again.';
    return new CommandFailure(exitCodes.unavailable, text, { cause: error });
  }
  const text = error instanceof Error ? error.message : String(error);
  return new CommandFailure(exitCodes.failed, `Something unexpected happened: ${text}`, { cause: error });
}

const noAnswer = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);
const brokenOff = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** `fetch` wraps what the socket said. */
function isNoAnswer(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && syscall === 'connect') return true;
  return (code !== undefined && noAnswer.has(code)) || isNoAnswer(error.cause);
}

function isBrokenOff(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return brokenOff.has((error as NodeJS.ErrnoException).code ?? '') || isBrokenOff(error.cause);
}
