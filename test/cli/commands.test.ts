/** Commands with and without a running server: answers, JSON, exit codes. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bcrypt } from './hashes.ts';
import { ask, type Served, serve, strongroom, temporaryFolder } from './support.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Served | undefined;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  server?.kill('SIGKILL');
  await server?.exit;
  server = undefined;
  await folder.remove();
});

const run = (args: readonly string[], options: Parameters<typeof strongroom>[2] = {}) =>
  strongroom(folder.path, args, options);
const create = ['companies', 'create', 'Alder Works', '--email', 'office@alder.example', '--json'];

async function stop(): Promise<void> {
  server!.kill('SIGTERM');
  expect(await server!.exit).toBe(0);
  server = undefined;
}

describe('companies', () => {
  it('work without a server, and see the same as one that runs', async () => {
    const made = await run([...create, '--admin-email', 'hr-admin@alder.example', '--admin-name', 'HR admin']);
    expect(made.err).toBe('');
    expect(made.code).toBe(0);
    const company = JSON.parse(made.out);
    expect(company).toMatchObject({ slug: 'alder-works', status: 'active' });
    expect(company.invitation.token).toMatch(/^[0-9a-hjkmnp-tv-z]{26}\.[\w-]{43}$/);

    server = await serve(folder.path);
    const listed = await run(['companies', 'list', '--json']);
    expect(JSON.parse(listed.out)).toEqual([expect.objectContaining({ id: company.id })]);
    const accepted = await ask(server.url, 'POST', '/api/user-management/setup-password', {
      body: { token: company.invitation.token, password: 'a long password 7' },
    });
    expect(accepted.status).toBe(201);

    expect((await run(['companies', 'suspend', 'alder-works'])).out).toContain('suspended');
    expect((await ask(server.url, 'GET', '/api/auth/me', { token: accepted.body.access_token })).status).toBe(401);
    expect((await run(['companies', 'resume', company.id])).out).toContain('active');
    expect((await ask(server.url, 'GET', '/api/auth/me', { token: accepted.body.access_token })).status).toBe(200);
    await stop();
    expect((await run(['companies', 'show', 'alder-works'])).out).toContain(company.id);
  });

  it('show a table with whole ids, and a hint where there is none', async () => {
    expect((await run(['companies', 'list'])).out).toContain('There are no companies');
    const { id } = JSON.parse((await run(create)).out);
    const listed = await run(['companies', 'list']);
    const [head, row] = listed.out.trimEnd().split('\n');
    expect(head).toMatch(/^ID +SLUG +NAME +STATUS/);
    expect(row).toContain(id);
    expect(head!.indexOf('SLUG')).toBe(row!.indexOf('alder-works'));
  });

  it('are deleted into the grace period, restored, and purged', async () => {
    await run(create);
    const deleted = await run(['companies', 'delete', 'alder-works', '--json']);
    expect(JSON.parse(deleted.out)).toMatchObject({ status: 'deleting', purge_after: expect.any(String) });
    expect((await run(['companies', 'restore', 'alder-works'])).out).toContain('active');
    expect((await run(['companies', 'delete', 'alder-works', '--confirm', 'wrong'])).code).toBe(2);
    const purged = await run(['companies', 'delete', 'alder-works', '--confirm', 'alder-works', '--purge']);
    expect(purged.err).toBe('');
    expect(purged.out).toContain('gone');
    expect((await run(['companies', 'show', 'alder-works'])).code).toBe(5);
  });

  it('are tested, and a missing database is named without a path', async () => {
    const company = JSON.parse((await run(create)).out);
    expect((await run(['companies', 'test', 'alder-works'])).out).toContain('is its own');
    await writeFile(join(folder.path, company.database_name), '');
    const broken = await run(['companies', 'test', 'alder-works', '--json']);
    expect(broken.code).toBe(9);
    expect(JSON.parse(broken.out)).toMatchObject({ ok: false });
    expect(broken.out + broken.err).not.toContain(folder.path);
  });
});

describe('exit codes', () => {
  it('go by the kind of error, with one sentence on standard error', async () => {
    await run(create);
    const cases: [readonly string[], number, RegExp][] = [
      [['companies', 'show', 'nobody'], 5, /no company "nobody"/],
      [[...create, '--slug', 'alder-works'], 6, /taken.*--slug/],
      [['companies', 'create', 'X', '--email', 'no address'], 2, /email/],
      [['serve', '--port', 'http'], 2, /--port/],
      [['documents', 'list'], 3, /--password-stdin|STRONGROOM_TOKEN/],
      [['reset', '--yes'], 4, /STRONGROOM_DEVELOPMENT/],
      [['admin', 'create', '--username', 'op', '--email', 'op@example.com'], 2, /--password-stdin/],
    ];
    for (const [args, code, text] of cases) {
      const ran = await run(args);
      expect({ args, code: ran.code }).toEqual({ args, code });
      expect(ran.err).toMatch(text);
      expect(ran.err).not.toMatch(/\n\s+at /);
    }
    expect((await run(['companys'])).code).toBe(2);
    expect((await run(['--help'])).code).toBe(0);
    expect(
      (await run(['documents', 'list', '--url', 'http://127.0.0.1:1'], { env: { STRONGROOM_TOKEN: 'x.y.z' } })).code,
    ).toBe(9);
    expect((await run(['config'], { env: { STRONGROOM_PLACEMNT: 'sqlite' } })).err).toContain('STRONGROOM_PLACEMENT');
  });
});

describe('admin create', () => {
  it('makes an operator who can sign in, and closes the set-up link', async () => {
    const password = 'a long password 7';
    const made = await run(
      ['admin', 'create', '--username', 'root-one', '--email', 'op@example.com', '--password-stdin'],
      { input: `${password}\n` },
    );
    expect(made).toMatchObject({ code: 0, err: '' });
    server = await serve(folder.path);
    expect(server.setupToken).toBeUndefined();
    const signedIn = await ask(server.url, 'POST', '/api/auth/login', { body: { username: 'root-one', password } });
    expect(signedIn.status).toBe(200);
    expect(signedIn.body.user.role).toBe('system_admin');
    const again = await run(
      ['admin', 'create', '--username', 'root-one', '--email', 'other@example.com', '--password-stdin'],
      { input: password },
    );
    expect(again.code).toBe(6);
    expect(again.err).not.toContain(password);
  });
});

describe('users import and documents', () => {
  it('imports good rows, reports bad ones, and people sign in with the password they had', async () => {
    await run(create);
    const password = 'the password they had 7';
    const file = join(folder.path, '..', `${folder.path.split('/').at(-1)}.csv`);
    const hash = await bcrypt(password);
    await writeFile(
      file,
      [
        'email,full_name,role,username,password_hash',
        `hr-admin@alder.example,HR admin,hr_admin,hr-admin,${hash}`,
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

    const signIn = ['--company', 'alder-works', '--user', 'employee@alder.example', '--password-stdin'];
    const source = join(folder.path, '..', `${folder.path.split('/').at(-1)}.md`);
    await writeFile(source, '# hello\n');
    const added = await run(['documents', 'add', source, '--json', ...signIn], { input: password });
    expect(added).toMatchObject({ code: 0, err: '' });
    const [document] = JSON.parse(added.out);
    const listed = await run(['documents', 'list', ...signIn], { input: password });
    expect(listed.out).toContain(document.id);
    const target = `${source}.copy`;
    expect((await run(['documents', 'get', document.id, '--out', target, ...signIn], { input: password })).code).toBe(
      0,
    );
    expect(await readFile(target, 'utf8')).toBe('# hello\n');
    expect((await run(['documents', 'get', document.id, '--out', target, ...signIn], { input: password })).code).toBe(
      6,
    );
    expect((await run(['documents', 'list', ...signIn], { input: 'wrong password 7' })).code).toBe(3);
    expect((await run(['documents', 'add', source, ...signIn], { input: password })).err).toContain('--on-conflict');
  });
});

describe('the rest', () => {
  it('verifies audit trails, finds nothing wrong, has nothing to migrate', async () => {
    await run(create);
    const verified = await run(['audit', 'verify', '--json']);
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.out).trails.map((trail: { subject: string }) => trail.subject)).toEqual([
      'fleet',
      'alder-works',
    ]);
    expect(await run(['doctor'])).toMatchObject({ code: 0, out: expect.stringContaining('in order') });
    expect((await run(['migrate', '--plan'])).out).toContain('0 companies are behind');
    expect((await run(['migrate'])).out).toContain('already');
  });

  it('resets only a development installation', async () => {
    await run(create);
    const env = { STRONGROOM_DEVELOPMENT: 'true' };
    expect((await run(['reset'], { env })).code).toBe(2);
    expect(await run(['reset', '--yes'], { env })).toMatchObject({ code: 0, out: '1 companies are gone.\n' });
    expect(JSON.parse((await run(['companies', 'list', '--json'])).out)).toEqual([]);
  });

  it('shows no secret in the configuration', async () => {
    const shown = await run(['config', '--json'], {
      env: { STRONGROOM_SMTP_URL: 'smtp://user:pass-word@mail.example' },
    });
    expect(shown.out).not.toContain('pass-word');
    const lines = JSON.parse(shown.out) as { key: string; source: string }[];
    expect(lines.find((line) => line.key === 'smtp_url')).toMatchObject({ source: 'environment', value: '********' });
  });
});
