/** `strongroom serve`: the lines it prints, the whole story over HTTP, and how it ends. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, fileForm, type Served, serve, strongroom, temporaryFolder } from './support.ts';

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

const password = (who: string) => `a long password of the ${who} 7`;

async function setUp(url: string, token: string): Promise<string> {
  const { status, body } = await ask(url, 'POST', '/api/setup', {
    body: { token, username: 'operator', email: 'operator@example.com', password: password('owner') },
  });
  expect(status).toBe(201);
  return body.access_token;
}

// Processes start slowly on a busy machine.
describe('serve', { timeout: 120_000 }, () => {
  it('prints the address and the set-up link once, answers /health, and drains on SIGTERM', async () => {
    server = await serve(folder.path);
    expect(server.lines.filter((line) => line.includes(server!.url))).toHaveLength(2);
    expect(server.lines.filter((line) => line.includes('/setup?token='))).toHaveLength(1);
    expect(await ask(server.url, 'GET', '/health')).toEqual({ status: 200, body: { status: 'ok' } });
    await setUp(server.url, server.setupToken!);
    expect(
      (await ask(server.url, 'POST', '/api/setup', { body: { token: server.setupToken } })).status,
    ).toBeGreaterThanOrEqual(400);
    server.kill('SIGTERM');
    expect(await server.exit).toBe(0);

    server = await serve(folder.path, ['--json']);
    const logged = server.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged.some((line) => line.listening === server!.url)).toBe(true);
    expect(logged.some((line) => 'setup_token' in line)).toBe(false);
  });

  it('gives setup_token and listening as fields with --json', async () => {
    server = await serve(folder.path, ['--json']);
    const logged = server.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged.find((line) => 'listening' in line)).toMatchObject({ listening: server.url });
    const token = logged.find((line) => 'setup_token' in line)?.setup_token;
    expect(token).toEqual(expect.stringMatching(/.{20,}/));
    await setUp(server.url, String(token));
  });

  it('never writes a secret into its log', async () => {
    server = await serve(folder.path, [], { STRONGROOM_LOG_LEVEL: 'debug' });
    const operator = await setUp(server.url, server.setupToken!);
    const created = await ask(server.url, 'POST', '/api/companies', {
      token: operator,
      body: {
        name: 'Logged',
        email: 'office@example.com',
        admin: { email: 'hr-admin@example.com', full_name: 'HR admin' },
      },
    });
    expect(created.status).toBe(201);
    for (const secret of [server.setupToken!, operator, created.body.invitation.token, password('owner')]) {
      expect(server.log()).not.toContain(secret);
    }
  });

  it('tells the whole story', async () => {
    server = await serve(folder.path);
    const { url } = server;
    const operator = await setUp(url, server.setupToken!);
    const created = await ask(url, 'POST', '/api/companies', {
      token: operator,
      body: {
        name: 'Alder Works',
        email: 'office@alder.example',
        admin: { email: 'hr-admin@alder.example', full_name: 'HR admin' },
      },
    });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      slug: 'alder-works',
      status: 'active',
      placement: 'sqlite',
      roles: 'company',
    });
    expect(created.body.invitation.setup_url).toMatch(`${url}/invitation`);
    expect(created.body.invitation.setup_url.endsWith(created.body.invitation.token)).toBe(true);

    const accept = async (token: string, who: string) => {
      const { status, body } = await ask(url, 'POST', '/api/user-management/setup-password', {
        body: { token, password: password(who) },
      });
      expect(status).toBe(201);
      return { token: body.access_token as string, id: body.user.id as string };
    };
    const invite = async (by: string, role: string) => {
      const { status, body } = await ask(url, 'POST', '/api/user-management/invite', {
        token: by,
        body: { email: `${role.replace('_', '-')}@alder.example`, full_name: role, role },
      });
      expect(status).toBe(201);
      return body.token as string;
    };
    const admin = await accept(created.body.invitation.token, 'admin');
    expect(
      (
        await ask(url, 'POST', '/api/user-management/setup-password', {
          body: { token: created.body.invitation.token, password: password('again') },
        })
      ).status,
    ).toBe(410);
    const employee = await accept(await invite(admin.token, 'employee'), 'employee');
    const customer = await accept(await invite(employee.token, 'customer'), 'customer');
    expect(
      (
        await ask(url, 'POST', '/api/user-management/invite', {
          token: employee.token,
          body: { email: 'more@alder.example', full_name: 'More', role: 'hr_manager' },
        })
      ).status,
    ).toBe(403);

    const upload = (token: string, form: FormData) => ask(url, 'POST', '/api/documents/upload', { token, form });
    expect((await upload(admin.token, fileForm('a.txt', 'by the admin'))).status).toBe(201);
    expect((await upload(employee.token, fileForm('e.txt', 'by the employee'))).status).toBe(201);
    expect((await upload(customer.token, fileForm('c.txt', 'by the customer'))).status).toBe(403);
    const basket = await ask(url, 'POST', '/api/baskets', { token: employee.token, body: { name: 'In' } });
    expect(
      (
        await ask(url, 'PUT', `/api/baskets/${basket.body.id}/shares/${customer.id}`, {
          token: employee.token,
          body: { access: 'write' },
        })
      ).status,
    ).toBe(200);
    expect(
      (await upload(customer.token, fileForm('c.txt', 'by the customer', { basket_id: basket.body.id }))).status,
    ).toBe(201);

    const names = async (token: string) => {
      const { body } = await ask(url, 'GET', '/api/documents', { token });
      return (body.items as { filename: string }[]).map((item) => item.filename).sort();
    };
    expect(await names(admin.token)).toEqual(['a.txt', 'c.txt', 'e.txt']);
    expect(await names(employee.token)).toEqual(['c.txt', 'e.txt']);
    expect(await names(customer.token)).toEqual(['c.txt']);
    expect((await ask(url, 'GET', '/api/documents', { token: operator })).status).toBe(403);
    expect((await ask(url, 'GET', '/api/companies', { token: admin.token })).status).toBe(403);

    const path = `/api/companies/${created.body.id}`;
    const stats = await ask(url, 'GET', `${path}/stats`, { token: operator });
    expect(stats.body).toMatchObject({ users: 3, documents: 3, files: 3 });
    expect(stats.body.database_bytes).toBeGreaterThan(0);
    expect((await ask(url, 'DELETE', path, { token: operator })).body).toMatchObject({ code: 'company_not_empty' });
    expect((await ask(url, 'DELETE', `${path}?confirm=other`, { token: operator })).status).toBe(422);
    expect((await ask(url, 'DELETE', `${path}?confirm=alder-works&purge=now`, { token: operator })).status).toBe(204);
    expect((await ask(url, 'GET', '/api/documents', { token: admin.token })).status).toBe(401);
    expect((await ask(url, 'GET', path, { token: operator })).status).toBe(404);
  });

  it('gives way to a worker without HTTP, which ends in order too', async () => {
    const ran = strongroom(folder.path, ['worker', '--json'], { within: 60_000, signalAfter: '"worker":true' });
    expect(await ran).toMatchObject({ code: 0 });
  });

  it('keeps a second server off the folder, and says why', async () => {
    server = await serve(folder.path);
    const second = await strongroom(folder.path, ['serve', '--port', '0']);
    expect(second.code).toBe(9);
    expect(second.err).toMatch(/data folder/);
    expect(second.err.trim().split('\n')).toHaveLength(1);
  });
});
