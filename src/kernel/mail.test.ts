import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { isStrongroomError } from './errors.ts';
import { createMailer, type Mail, type Mailer } from './mail.ts';

/** A small SMTP server (RFC 5321): answers each command by `reply`, or with what a server says that takes everything. */
interface TestServer {
  readonly port: number;
  readonly commands: string[];
  readonly mails: { readonly from: string; readonly to: readonly string[]; readonly data: string }[];
  close(): Promise<void>;
}
type Reply = (command: string) => string | null | undefined;
let servers: TestServer[] = [];
let mailers: Mailer[] = [];
afterEach(async () => {
  for (const mailer of mailers) mailer.close();
  for (const server of servers) await server.close();
  servers = [];
  mailers = [];
});

async function smtpServer(reply: Reply = () => undefined, extensions: readonly string[] = []): Promise<TestServer> {
  const commands: string[] = [];
  const mails: TestServer['mails'] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const say = (line: string) => socket.write(`${line}\r\n`);
    let [from, to, data]: [string, string[], string[] | null] = ['', [], null];
    const standard = (command: string): string => {
      const verb = command.slice(0, 4).toUpperCase();
      if (verb === 'EHLO') return ['250-test', ...extensions.map((one) => `250-${one}`), '250 8BITMIME'].join('\r\n');
      if (verb === 'DATA') return '354 go on';
      if (verb === 'QUIT') return '221 bye';
      return '250 ok';
    };
    const heard = (line: string) => {
      if (data !== null) {
        if (line !== '.') return void data.push(line.startsWith('.') ? line.slice(1) : line);
        mails.push({ from, to, data: data.join('\r\n') });
        [from, to, data] = ['', [], null];
        const answer = reply('.');
        return answer === null ? undefined : void say(answer ?? '250 taken');
      }
      commands.push(line);
      const answer = reply(line);
      if (answer === null) return;
      if (/^MAIL FROM:/i.test(line)) from = line.slice(10);
      if (/^RCPT TO:/i.test(line)) to.push(line.slice(8));
      if (/^DATA/i.test(line) && answer === undefined) data = [];
      say(answer ?? standard(line));
    };
    let rest = '';
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString('latin1')).split('\r\n');
      rest = lines.pop()!;
      for (const line of lines) heard(line);
    });
    const greeting = reply('');
    if (greeting !== null) say(greeting ?? '220 test ESMTP');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const made = {
    port: (server.address() as AddressInfo).port,
    commands,
    mails,
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  servers.push(made);
  return made;
}

const logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
function mailerFor(smtpUrl: string | null, timeout = 2_000): Mailer {
  const mailer = createMailer({ config: { smtpUrl, mailFrom: 'Strongroom <no-reply@example.com>' }, log, timeout });
  mailers.push(mailer);
  return mailer;
}
const mail: Mail = {
  to: 'employee@example.com',
  subject: 'Your invitation',
  text: 'https://example.com/setup?token=hidden-token',
};
const outcome = async (work: Promise<unknown>) => {
  const started = performance.now();
  const said = await work.then(
    () => 'sent',
    (error: unknown) => {
      if (!isStrongroomError(error)) return `not ours: ${String(error)}`;
      expect(error.message).not.toMatch(/127\.0\.0\.1|example\.com|hidden|secret-words/);
      return `${error.kind} ${error.code}`;
    },
  );
  expect(performance.now() - started).toBeLessThan(4_000);
  return said;
};

describe('mail', () => {
  it('is sent to one receiver with the text and the sender of the configuration', async () => {
    const server = await smtpServer();
    const mailer = mailerFor(`smtp://127.0.0.1:${server.port}`);
    expect(mailer.configured).toBe(true);
    await mailer.send({ ...mail, subject: 'Grüße, 你好', html: '<p>Hello</p>' });
    expect(server.mails).toHaveLength(1);
    const [got] = server.mails;
    expect(got!.from).toContain('<no-reply@example.com>');
    expect(got!.to).toEqual(['<employee@example.com>']);
    expect(got!.data).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(got!.data).toContain('token=');
    expect(got!.data).toContain('<p>Hello</p>');
  });

  it('says that it is not configured', async () => {
    const mailer = mailerFor(null);
    expect(mailer.configured).toBe(false);
    expect(await outcome(mailer.send(mail))).toBe('unsupported mail_not_configured');
  });

  const addresses = [
    'a@example.com\r\nBcc: victim@example.com',
    'a@example.com\nX-Other: 1',
    'a@example.com,b@example.com',
    'a@example.com b@example.com',
    'Name <a@example.com>',
    '<a@example.com>, b@example.com',
    'group: a@example.com, b@example.com;',
    '"a\r\nRCPT TO:<b@example.com>"@example.com',
    'a@example.com\u2028b',
    'a\0@example.com',
    'a@b@example.com',
    'a',
    '',
  ];
  it.each(addresses)('refuses the receiver %j and speaks to no server', async (to) => {
    const server = await smtpServer();
    expect(await outcome(mailerFor(`smtp://127.0.0.1:${server.port}`).send({ ...mail, to }))).toBe('invalid invalid');
    expect(server.commands).toEqual([]);
  });

  it.each(['Hello\r\nBcc: b@example.com', 'Hello\nX: 1', 'Hello\r\n\r\nbody', 'x\u0085y', 'x'.repeat(501)])(
    'refuses the subject %j',
    async (subject) => {
      const server = await smtpServer();
      expect(await outcome(mailerFor(`smtp://127.0.0.1:${server.port}`).send({ ...mail, subject }))).toBe(
        'invalid invalid',
      );
      expect(server.commands).toEqual([]);
    },
  );

  it('cannot be ended early by its own text', async () => {
    const server = await smtpServer();
    const text = 'one\r\n.\r\nMAIL FROM:<x@example.com>\r\nRCPT TO:<y@example.com>\r\n';
    await mailerFor(`smtp://127.0.0.1:${server.port}`).send({ ...mail, text });
    expect(server.mails).toHaveLength(1);
    expect(server.commands.filter((line) => line.startsWith('RCPT'))).toHaveLength(1);
  });

  const states: [string, Reply, string][] = [
    ['that never greets', () => null, 'unavailable mail_unavailable'],
    ['that falls silent at the text', (c) => (c === '.' ? null : undefined), 'unavailable mail_unavailable'],
    [
      'that falls silent at the receiver',
      (c) => (c.startsWith('RCPT') ? null : undefined),
      'unavailable mail_unavailable',
    ],
    ['that is busy (421)', (c) => (c === '' ? '421 secret-words' : undefined), 'unavailable mail_unavailable'],
    [
      'that takes no mail at all (554)',
      (c) => (c === '' ? '554 secret-words' : undefined),
      'unavailable mail_unavailable',
    ],
    [
      'that defers (451)',
      (c) => (c.startsWith('RCPT') ? '451 secret-words' : undefined),
      'unavailable mail_unavailable',
    ],
    ['that is full (452)', (c) => (c === '.' ? '452 secret-words' : undefined), 'unavailable mail_unavailable'],
    [
      'that knows no such receiver (550)',
      (c) => (c.startsWith('RCPT') ? '550 secret-words' : undefined),
      'unsupported mail_refused',
    ],
    [
      'that refuses the sender (553)',
      (c) => (c.startsWith('MAIL') ? '553 secret-words' : undefined),
      'unsupported mail_refused',
    ],
    ['that refuses the text (554)', (c) => (c === '.' ? '554 secret-words' : undefined), 'unsupported mail_refused'],
    [
      'that speaks another protocol',
      (c) => (c === '' ? 'HTTP/1.1 400 Bad Request' : undefined),
      'unavailable mail_unavailable',
    ],
  ];
  it.each(states)('ends in time with a server %s', async (_, reply, expected) => {
    const server = await smtpServer(reply);
    expect(await outcome(mailerFor(`smtp://127.0.0.1:${server.port}`, 800).send(mail))).toBe(expected);
    expect(server.mails.length <= 1).toBe(true);
  });

  it('is refused at once for a while after a server was silent, not after one that answered', async () => {
    const silent = await smtpServer(() => null);
    const mailer = mailerFor(`smtp://127.0.0.1:${silent.port}`, 400);
    expect(await outcome(mailer.send(mail))).toBe('unavailable mail_unavailable');
    const started = performance.now();
    for (let n = 0; n < 20; n += 1) expect(await outcome(mailer.send(mail))).toBe('unavailable mail_unavailable');
    expect(performance.now() - started).toBeLessThan(200);
    let defers = true;
    const busy = await smtpServer((c) => (defers && c.startsWith('RCPT') ? '451 later' : undefined));
    const other = mailerFor(`smtp://127.0.0.1:${busy.port}`);
    expect(await outcome(other.send(mail))).toBe('unavailable mail_unavailable');
    defers = false;
    expect(await outcome(other.send(mail))).toBe('sent');
  });

  it('ends in time where nobody listens', async () => {
    const server = await smtpServer();
    await server.close();
    expect(await outcome(mailerFor(`smtp://127.0.0.1:${server.port}`).send(mail))).toBe('unavailable mail_unavailable');
  });

  it('does not go on without TLS where the server refuses it after offering it', async () => {
    const server = await smtpServer((c) => (c === 'STARTTLS' ? '454 TLS not available' : undefined), ['STARTTLS']);
    expect(await outcome(mailerFor(`smtp://127.0.0.1:${server.port}`).send(mail))).toBe('unavailable mail_unavailable');
    expect(server.mails).toEqual([]);
  });

  it('does not take a server of plain text for one of TLS', async () => {
    const server = await smtpServer();
    expect(await outcome(mailerFor(`smtps://127.0.0.1:${server.port}`).send(mail))).toBe(
      'unavailable mail_unavailable',
    );
    expect(server.mails).toEqual([]);
  });

  it('sends no password without TLS to another machine', async () => {
    const server = await smtpServer((c) => (c.startsWith('AUTH') ? '235 ok' : undefined), ['AUTH PLAIN']);
    // An address of this machine that does not look like one.
    const url = `smtp://user:a-password@0.0.0.0:${server.port}`;
    expect(await outcome(mailerFor(url).send(mail))).toBe('unavailable mail_unavailable');
    expect(server.commands.some((line) => line.startsWith('AUTH'))).toBe(false);
    await mailerFor(`smtp://user:a-password@127.0.0.1:${server.port}`).send(mail);
    expect(server.commands.some((line) => line.startsWith('AUTH PLAIN'))).toBe(true);
  });

  it('calls a wrong password of its own a server that does not take mail', async () => {
    const server = await smtpServer((c) => (c.startsWith('AUTH') ? '535 secret-words' : undefined), ['AUTH PLAIN']);
    const url = `smtp://user:a-password@127.0.0.1:${server.port}`;
    expect(await outcome(mailerFor(url).send(mail))).toBe('unavailable mail_unavailable');
  });

  it('refuses an address of another kind of server', () => {
    expect(() => mailerFor('http://127.0.0.1:25')).toThrow('smtp://');
  });

  it('logs neither addresses, texts, passwords nor the words of the server', () => {
    expect(logged.length).toBeGreaterThan(10);
    expect(logged.join('')).not.toMatch(/example\.com|hidden-token|a-password|secret-words|127\.0\.0\.1|0\.0\.0\.0/);
  });
});
