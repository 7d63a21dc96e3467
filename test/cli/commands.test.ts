/** Commands with and without a running server: answers, JSON, exit codes. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bcrypt } from './hashes.ts';
import { ask, type Ran, type Served, serve, strongroom, temporaryFolder } from './support.ts';

/** Each command is a process of its own, and the machine may be busy. */
const patient = { timeout: 180_000 };
const password = 'the password they had 7';

type Run = (args: readonly string[], options?: Parameters<typeof strongroom>[2]) => Promise<Ran>;
const create = (name: string) => ['companies', 'create', name, '--email', 'office@alder.example', '--json'];

describe('with a running server', patient, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let elsewhere: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: Served;
  let run: Run;

  beforeAll(async () => {
    folder = await temporaryFolder();
    elsewhere = await temporaryFolder();
    server = await serve(folder.path, [], { STRONGROOM_DEVELOPMENT: 'true' });
    run = (args, options) => strongroom(folder.path, args, options);
  }, patient.timeout);

  afterAll(async () => {
    server.kill('SIGKILL');
    await server.exit;
    await folder.remove();
    await elsewhere.remove();
  });

  it('companies are created, listed whole, suspended and resumed at once', async () => {
    expect((await run(['companies', 'list'])).out).toContain('There are no companies');
    const admin = ['--admin-email', 'hr-admin@alder.example', '--admin-name', 'HR admin'];
    const made = await run([...create('Alder Works'), ...admin]);
    expect(made).toMatchObject({ code: 0, err: '' });
    const company = JSON.parse(made.out);
    const { token } = company.invitation;
    expect(company.invitation.setup_url).toMatch(`${server.url}/invitation`);
    expect(company.invitation.setup_url.endsWith(token)).toBe(true);
    expect((await fetch(company.invitation.setup_url)).status).toBe(200);
    const accepted = await ask(server.url, 'POST', '/api/user-management/setup-password', {
      body: { token, password },
    });
    expect(accepted.status).toBe(201);

    const listed = await run(['companies', 'list']);
    const [head, row] = listed.out.trimEnd().split('\n');
    expect(head).toMatch(/^ID +SLUG +NAME +STATUS/);
    expect(row).toContain(company.id);
    expect(head!.indexOf('SLUG')).toBe(row!.indexOf('alder-works'));

    const me = () => ask(server.url, 'GET', '/api/auth/me', { token: accepted.body.access_token });
    expect((await run(['companies', 'suspend', 'alder-works'])).out).toContain('suspended');
    expect((await me()).status).toBe(401);
    expect((await run(['companies', 'resume', company.id])).out).toContain('active');
    expect((await me()).status).toBe(200);
    expect((await run(['companies', 'show', 'alder-works'])).out).toContain(company.id);
  });

  it('a company is deleted into the grace period, restored, and purged', async () => {
    await run(create('Short lived'));
    const deleted = await run(['companies', 'delete', 'short-lived', '--json']);
    expect(JSON.parse(deleted.out)).toMatchObject({ status: 'deleting', purge_after: expect.any(String) });
    expect((await run(['companies', 'restore', 'short-lived'])).out).toContain('active');
    expect((await run(['companies', 'delete', 'short-lived', '--confirm', 'wrong'])).code).toBe(2);
    const purged = await run(['companies', 'delete', 'short-lived', '--confirm', 'short-lived', '--purge']);
    expect(purged).toMatchObject({ code: 0, err: '', out: expect.stringContaining('gone') });
    expect((await run(['companies', 'show', 'short-lived'])).code).toBe(5);
  });

  it('a company with people is not deleted without its slug', async () => {
    const refused = await run(['companies', 'delete', 'alder-works']);
    expect(refused.code).toBe(6);
    expect(refused.err).toContain('--confirm');
  });

  it('a damaged database is named, without a path', async () => {
    const company = JSON.parse((await run(create('Damaged'))).out);
    expect((await run(['companies', 'test', 'damaged'])).out).toContain('is its own');
    await writeFile(join(folder.path, 'tenants', company.id.slice(5), 'tenant.db'), '');
    const broken = await run(['companies', 'test', 'damaged', '--json']);
    expect(broken.code).toBe(9);
    expect(JSON.parse(broken.out)).toMatchObject({ ok: false });
    expect(broken.out + broken.err).not.toContain(folder.path);
    await run(['companies', 'delete', 'damaged', '--confirm', 'damaged', '--purge']);
  });

  it('people are imported row by row, and sign in with the password they had', async () => {
    const hash = await bcrypt(password);
    const file = join(elsewhere.path, 'people.csv');
    await writeFile(
      file,
      [
        'email,full_name,role,username,password_hash',
        `manager@alder.example,HR manager,hr_manager,manager,${hash}`,
        'not an address,Nobody,employee,,',
        `employee@alder.example,Employee,employee,,${hash}`,
        'boss@alder.example,Boss,president,,',
        'wrong@alder.example,Wrong,employee,,plain text',
        'employee@alder.example,Employee twice,employee,,',
      ].join('\n'),
    );
    const imported = await run(['users', 'import', file, '--company', 'alder-works', '--json']);
    expect(imported.code).toBe(10);
    const results = JSON.parse(imported.out) as { row: number; status: string; reason: string | null }[];
    expect(results.map((result) => result.status === 'created')).toEqual([true, false, true, false, false, false]);
    expect(results[4]!.reason).toContain('password_hash');
    expect(imported.out + imported.err).not.toContain(hash);
    // Again: nothing is lost, nothing is doubled.
    const again = JSON.parse((await run(['users', 'import', file, '--company', 'alder-works', '--json'])).out);
    expect(again.map((result: { status: string }) => result.status)).not.toContain('created');
    const signedIn = await ask(server.url, 'POST', '/api/auth/login', { body: { username: 'manager', password } });
    expect(signedIn.body.user).toMatchObject({ email: 'manager@alder.example', role: 'hr_manager' });
  });

  it('documents go in and out as one of the users', async () => {
    const signIn = ['--company', 'alder-works', '--user', 'employee@alder.example', '--password-stdin'];
    const as = { input: `${password}\n` };
    const source = join(elsewhere.path, 'hello.md');
    await writeFile(source, '# hello\n');
    const added = await run(['documents', 'add', source, '--json', ...signIn], as);
    expect(added).toMatchObject({ code: 0, err: '' });
    const [document] = JSON.parse(added.out);
    expect((await run(['documents', 'list', ...signIn], as)).out).toContain(document.id);
    const target = `${source}.copy`;
    expect((await run(['documents', 'get', document.id, '--out', target, ...signIn], as)).code).toBe(0);
    expect(await readFile(target, 'utf8')).toBe('# hello\n');
    expect((await run(['documents', 'get', document.id, '--out', target, ...signIn], as)).code).toBe(6);
    expect((await run(['documents', 'list', ...signIn], { input: 'wrong password 7' })).code).toBe(3);
    expect((await run(['documents', 'add', source, ...signIn], as)).err).toContain('--on-conflict');
    const { body } = await ask(server.url, 'POST', '/api/auth/login', { body: { username: 'manager', password } });
    const remote = { env: { STRONGROOM_TOKEN: body.access_token, STRONGROOM_DATA_DIR: elsewhere.path } };
    expect((await run(['documents', 'list', '--url', server.url, '--json'], remote)).out).toContain(document.id);
  });

  it('trails verify, nothing is wrong, nothing is to migrate', async () => {
    const verified = await run(['audit', 'verify', '--json']);
    expect(verified.code).toBe(0);
    const trails = JSON.parse(verified.out).trails as { subject: string }[];
    expect(trails.map((trail) => trail.subject)).toEqual(['fleet', 'alder-works']);
    expect(await run(['doctor'])).toMatchObject({ code: 0, out: expect.stringContaining('in order') });
    expect((await run(['migrate', '--plan'])).out).toContain('0 companies are behind');
    expect((await run(['migrate'])).out).toContain('already');
  });

  it('errors end with the code of their kind and one sentence', async () => {
    const cases: [readonly string[], number, RegExp][] = [
      [['companies', 'show', 'nobody'], 5, /no company "nobody"/],
      [[...create('Other'), '--slug', 'alder-works'], 6, /taken.*--slug/],
      [['companies', 'create', 'X', '--email', 'no address'], 2, /email/],
      [['documents', 'list'], 3, /STRONGROOM_TOKEN/],
      [['admin', 'create', '--username', 'op', '--email', 'op@example.com'], 2, /--password-stdin/],
      [['reset'], 4, /STRONGROOM_DEVELOPMENT/],
    ];
    const all = await Promise.all(cases.map(([args]) => run(args)));
    for (const [index, [args, code, text]] of cases.entries()) {
      const ran = all[index]!;
      expect({ args, code: ran.code }).toEqual({ args, code });
      expect(ran.err).toMatch(text);
      expect(ran.err).not.toMatch(/\n\s+at /);
    }
  });

  it('an operator is made on the host; a name works once', async () => {
    const args = (email: string) => ['admin', 'create', '--username', 'op-one', '--email', email, '--password-stdin'];
    expect(await run(args('op@example.com'), { input: `${password}\n` })).toMatchObject({ code: 0, err: '' });
    const signedIn = await ask(server.url, 'POST', '/api/auth/login', { body: { username: 'op-one', password } });
    expect(signedIn.body.user.role).toBe('system_admin');
    const again = await run(args('other@example.com'), { input: password });
    expect(again.code).toBe(6);
    expect(again.err).not.toContain(password);
    const late = { token: server.setupToken, username: 'late', email: 'late@example.com', password };
    expect((await ask(server.url, 'POST', '/api/setup', { body: late })).status).toBe(404);
  });

  it('reset asks, and purges every company of a development installation', async () => {
    const env = { STRONGROOM_DEVELOPMENT: 'true' };
    expect((await run(['reset'], { env })).code).toBe(2);
    expect(await run(['reset', '--yes'], { env })).toMatchObject({ code: 0, out: '1 companies are gone.\n' });
    expect(JSON.parse((await run(['companies', 'list', '--json'])).out)).toEqual([]);
  });
});

describe('without a server', patient, () => {
  it('commands do the work themselves, and a server sees it', async () => {
    const folder = await temporaryFolder();
    const run: Run = (args, options) => strongroom(folder.path, args, options);
    try {
      const made = await run(create('Alder Works'));
      expect(made).toMatchObject({ code: 0, err: '' });
      const { id } = JSON.parse(made.out);
      // Several at once take turns on the folder, or use the one that has it, and nothing is done twice.
      const several = await Promise.all([
        run(['companies', 'list', '--json']),
        run(['companies', 'test', id]),
        run(create('Birch Clinic')),
        run(create('Cedar Club')),
      ]);
      expect(several.map((ran) => ran.err + ran.code)).toEqual(['0', '0', '0', '0']);
      expect((await run(['reset', '--yes'])).code).toBe(4);
      const server = await serve(folder.path);
      expect((await ask(server.url, 'GET', '/health')).status).toBe(200);
      const listed = JSON.parse((await run(['companies', 'list', '--json'])).out) as { id: string; slug: string }[];
      expect(listed[0]!.id).toBe(id);
      expect(listed.map((company) => company.slug).sort()).toEqual(['alder-works', 'birch-clinic', 'cedar-club']);
      server.kill('SIGTERM');
      expect(await server.exit).toBe(0);
    } finally {
      await folder.remove();
    }
  });

  it('usage and configuration are refused with code 2, and secrets are not shown', async () => {
    const run: Run = (args, options) => strongroom('/nonexistent', args, options);
    const nowhere = ['documents', 'list', '--url', 'http://127.0.0.1:65534'];
    const [misspelt, port, setting, unreached, shown, help] = await Promise.all([
      run(['companys']),
      run(['serve', '--port', 'http']),
      run(['config'], { env: { STRONGROOM_PLACEMNT: 'sqlite' } }),
      run(nowhere, { env: { STRONGROOM_TOKEN: 'x.y.z' } }),
      run(['config', '--json'], { env: { STRONGROOM_SMTP_URL: 'smtp://user:pass-word@mail.example' } }),
      run(['--help']),
    ]);
    expect(misspelt.code).toBe(2);
    expect(port.err).toContain('--port');
    expect(setting.err).toContain('STRONGROOM_PLACEMENT');
    expect(unreached.code).toBe(9);
    expect(shown.out).not.toContain('pass-word');
    const lines = JSON.parse(shown.out) as { key: string }[];
    expect(lines.find((line) => line.key === 'smtp_url')).toMatchObject({ source: 'environment', value: '********' });
    expect(help.code).toBe(0);
  });
});
