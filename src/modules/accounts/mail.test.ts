import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { codeOf, openWorld, origin, password } from '../../../test/support/accounts-world.ts';

/** Takes every mail (RFC 5321) and keeps it as text. */
async function mailbox() {
  const mails: string[] = [];
  const server = createServer((socket) => {
    let [rest, inData] = ['', false];
    let mail: string[] = [];
    socket.write('220 test\r\n');
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString()).split('\r\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (inData && line === '.') {
          mails.push(plain(mail.join('\r\n')));
          [inData, mail] = [false, []];
          socket.write('250 ok\r\n');
        } else if (inData) mail.push(line.startsWith('.') ? line.slice(1) : line);
        else if (/^DATA/i.test(line)) {
          inData = true;
          socket.write('354 go on\r\n');
        } else socket.write(/^QUIT/i.test(line) ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { mails, url };
}

/** Quoted-printable undone. */
function plain(text: string): string {
  return text
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
const tokenIn = (mail: string) => /token=([\w.-]+)/.exec(mail)![1]!;

test('where mail is set up, links go by mail, sealed until then', async () => {
  const { mails, url } = await mailbox();
  const { accounts, kernel, company } = await openWorld({ smtpUrl: url, publicUrl: 'https://documents.example.com/' });
  const { admin, tenant } = await company('acme');
  const { invitations, passwordService, signIn } = accounts.services;
  const person = { email: 'new@acme.example', fullName: '<b>New</b>', role: 'employee' as const };
  const { token } = await invitations.invite(admin.caller, person, origin);
  const jobs = await tenant.db.read.selectFrom('jobs').selectAll().execute();
  expect(JSON.stringify(jobs)).not.toContain(token.slice(27));
  await kernel.settle();
  const invitation = mails.find((mail) => mail.includes('To: new@acme.example'))!;
  expect(invitation).toContain(`https://documents.example.com/invitation?token=${token}`);
  const signedIn = await invitations.accept({ token, password }, origin);

  const count = mails.length;
  passwordService.forgot('new@acme.example', undefined, { ...origin });
  passwordService.forgot('nobody@acme.example', undefined, origin);
  await accounts.settled();
  passwordService.forgot('NEW@acme.example', tenant.slug, origin);
  await accounts.settled();
  await kernel.settle();
  // One mail a minute, however often it is asked for; none for who is unknown.
  expect(mails.slice(count)).toHaveLength(1);
  const reset = tokenIn(mails.at(-1)!);
  expect(await codeOf(passwordService.reset(reset, `${password} reset`, origin))).toBe('no refusal');
  expect(await codeOf(passwordService.reset(reset, `${password} again`, origin))).toBe('reset_used');
  expect(await codeOf(accounts.authenticate(signedIn.accessToken))).toBe('session_ended');
  await signIn.login({ username: 'new@acme.example', password: `${password} reset` }, origin);

  const sent = await passwordService.send(admin.caller, signedIn.user.id, origin);
  expect(sent).toMatchObject({ sent: true, token: undefined });
});

test('an operator who forgot gets the link too, and it ends after an hour', async () => {
  const { mails, url } = await mailbox();
  const { accounts, travel } = await openWorld({ smtpUrl: url });
  await accounts.createOperator({ username: 'operator', email: 'operator@example.com', password }, { kind: 'host' });
  const { passwordService, signIn } = accounts.services;
  passwordService.forgot('operator', undefined, origin);
  await accounts.settled();
  const first = tokenIn(mails[0]!);
  travel(3_601_000);
  expect(await codeOf(passwordService.reset(first, `${password} reset`, origin))).toBe('reset_used');
  passwordService.forgot('operator@example.com', undefined, origin);
  await accounts.settled();
  const second = tokenIn(mails[1]!);
  expect(await codeOf(passwordService.reset(first, `${password} reset`, origin))).toBe('not_found');
  expect(await codeOf(passwordService.reset(second, `${password} reset`, origin))).toBe('no refusal');
  await signIn.login({ username: 'operator', password: `${password} reset` }, origin);
});
