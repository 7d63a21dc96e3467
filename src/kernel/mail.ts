/**
 * Mail over SMTP (`STRONGROOM_SMTP_URL`), where it is configured.
 *
 * Guarantees
 * - One mail to one address: what is sent as an address, a subject or a sender can add neither a header nor a receiver.
 * - Ends: a server that is slow or silent costs at most about half a minute, and after that nothing for some seconds,
 *   in which every mail is refused at once: one silent server does not hold up whoever waits behind its mails.
 * - A name and password go over TLS alone, unless the server is on this machine.
 * - Errors and the log carry no text of the mail, no address and no host.
 */
import { invalidField, StrongroomError, unavailable } from './errors.ts';
import type { Logger } from './log.ts';
import type { Config } from './settings.ts';

export interface Mail {
  /** One address, without a name. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

export interface Mailer {
  /** Whether there is a server to send by. */
  readonly configured: boolean;
  /**
   * Resolves when the server has taken the mail.
   * @throws unavailable `mail_unavailable` (down, slow, busy, TLS refused: try again later)
   * @throws unsupported `mail_refused` (the server will not take this mail, now or later), `mail_not_configured`
   * @throws invalid where address or subject are no single line
   */
  send(mail: Mail): Promise<void>;
  close(): void;
}

export interface MailerOptions {
  readonly config: Pick<Config, 'smtpUrl' | 'mailFrom'>;
  readonly log: Logger;
  /** Milliseconds of the whole; single steps get less. Default 30 s. */
  readonly timeout?: number;
}

/** After a server did not answer, mails are refused at once for this long (ms). */
const silence = 5_000;

/** No control characters, no line ends of any script. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const address = /^[^\s@<>(),;:\\"[\]]{1,64}@[^\s@<>(),;:\\"[\]]{1,255}$/;

export function createMailer({ config, log, timeout = 30_000 }: MailerOptions): Mailer {
  if (config.smtpUrl === null) {
    return {
      configured: false,
      send: () => Promise.reject(new StrongroomError('unsupported', 'mail_not_configured', 'No mail server is set.')),
      close() {},
    };
  }
  const options = transportOptions(config.smtpUrl, timeout);
  // Most commands send no mail, and need not wait until it has been read.
  const open = async () => (await import('nodemailer')).createTransport(options);
  let transport: ReturnType<typeof open> | undefined;
  let silentUntil = 0;
  return {
    configured: true,
    async send(mail) {
      checkMail(mail);
      if (performance.now() < silentUntil) throw notNow();
      try {
        transport ??= open();
        await limited(
          (await transport).sendMail({
            from: config.mailFrom,
            to: { name: '', address: mail.to },
            subject: mail.subject,
            text: mail.text,
            ...(mail.html === undefined ? {} : { html: mail.html }),
            // The text comes from people's names: it must not make this process read files or addresses.
            disableFileAccess: true,
            disableUrlAccess: true,
          }),
          timeout,
        );
      } catch (error) {
        const failure = failureOf(error);
        if (typeof smtpCodes(error).response !== 'number') silentUntil = performance.now() + silence;
        log.warn({ code: failure.code, smtp: smtpCodes(error) }, 'a mail could not be sent');
        throw failure;
      }
    },
    close() {
      // One that could not be opened has failed its mail, and leaves nothing to close.
      transport?.then((opened) => opened.close()).catch(() => undefined);
    },
  };
}

function transportOptions(url: string, timeout: number) {
  const server = new URL(url);
  if (server.protocol !== 'smtp:' && server.protocol !== 'smtps:') {
    throw new StrongroomError('invalid', 'smtp_url', 'The mail server must be given as smtp://… or smtps://….');
  }
  const host = server.hostname.replace(/^\[|\]$/g, '');
  const secure = server.protocol === 'smtps:';
  const local = host === 'localhost' || host === '::1' || host.startsWith('127.');
  const login =
    server.username === ''
      ? undefined
      : { user: decodeURIComponent(server.username), pass: decodeURIComponent(server.password) };
  return {
    host,
    port: server.port === '' ? (secure ? 465 : 587) : Number(server.port),
    secure,
    requireTLS: !secure && login !== undefined && !local,
    ...(login === undefined ? {} : { auth: login }),
    connectionTimeout: Math.min(10_000, timeout),
    greetingTimeout: Math.min(10_000, timeout),
    socketTimeout: Math.min(15_000, timeout),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function checkMail(mail: Mail): void {
  if (unsafe.test(mail.to) || !address.test(mail.to)) throw invalidField('to', 'one e-mail address');
  if (unsafe.test(mail.subject) || mail.subject.length > 500)
    throw invalidField('subject', 'one line of at most 500 characters');
}

async function limited<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Codes alone: a server's words may repeat addresses. */
function smtpCodes(error: unknown): { code?: unknown; response?: unknown } {
  const { code, responseCode } = (error ?? {}) as { code?: unknown; responseCode?: unknown };
  return { code, response: responseCode };
}

function failureOf(error: unknown): StrongroomError {
  const { code, response } = smtpCodes(error);
  // 5xx about sender, receiver or text is the last word about this mail; about a log-in or at the greeting it is not.
  const aboutMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (aboutMail && typeof response === 'number' && response >= 500) {
    return new StrongroomError('unsupported', 'mail_refused', 'The mail server does not take this mail.', {
      cause: error,
    });
  }
  return notNow(error);
}

function notNow(cause?: unknown): StrongroomError {
  return unavailable('mail_unavailable', 'The mail server does not take mail now.', 60, cause);
}
