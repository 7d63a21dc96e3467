/** The one-minute ticket cookie: bound to session and path, for GET and for our own origin alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProgram } from '../../src/server/program.ts';
import {
  call,
  expectCall,
  invitePerson,
  newCompany,
  type Person,
  setUpOperator,
  uploadFile,
} from '../support/story.ts';
import { temporaryConfig } from './support.ts';

const { config, remove } = temporaryConfig();
let now = Date.now();
let program: Awaited<ReturnType<typeof startProgram>>;
let url: string;
let employee: Person;
let path: string;
let otherPath: string;

beforeAll(async () => {
  const clock = { now: () => now, iso: () => new Date(now).toISOString() };
  program = await startProgram(config, { clock });
  url = program.address;
  const operator = await setUpOperator(url, program.setupToken!);
  const { admin } = await newCompany(url, operator.access_token, 'Tickets');
  employee = await invitePerson(url, admin, 'employee', 'employee');
  const own = await uploadFile(url, employee.token, 'own.txt', 'own bytes');
  const hidden = await uploadFile(url, admin.token, 'hidden.txt', 'hidden bytes');
  path = `/api/documents/${own.id}/download`;
  otherPath = `/api/documents/${hidden.id}/download`;
});

afterAll(async () => {
  await program.close();
  remove();
});

async function ticket(forPath: string, token = employee.token): Promise<{ cookie: string; text: string }> {
  const answer = await call(url, 'POST', '/api/auth/ticket', { token, body: { path: forPath } });
  expect(answer.status, answer.text).toBe(204);
  const text = answer.headers.get('set-cookie')!;
  return { cookie: text.split(';')[0]!, text };
}

const get = (what: string, cookie: string, headers: Record<string, string> = {}, method = 'GET') =>
  call(url, method, what, { headers: { cookie, 'sec-fetch-site': 'same-origin', ...headers } });

test('it opens its path, and says so to the browser', async () => {
  const { cookie, text } = await ticket(path);
  expect(text).toMatch(/; Max-Age=60; /);
  expect(text).toContain(`Path=${path};`);
  expect(text).toMatch(/HttpOnly; SameSite=Strict/);
  const answer = await get(path, cookie);
  expect([answer.status, answer.text]).toEqual([200, 'own bytes']);
  expect((await get(`${path}?version=1`, cookie)).status).toBe(200);
  expect((await get(path, cookie, { range: 'bytes=0-2' })).text).toBe('own');
});

test('it opens nothing else', async () => {
  const { cookie } = await ticket(path);
  expect((await get(otherPath, cookie)).status).toBe(401);
  expect((await get(path.replace('/download', ''), cookie)).status).toBe(401);
  expect((await get(path.replace('/api/', '/api/v1/'), cookie)).status).toBe(401);
  expect((await get('/api/auth/me', cookie)).status).toBe(401);
  expect((await get(path.replace('/download', ''), cookie, {}, 'DELETE')).status).toBe(401);
  expect((await get(path, `${cookie}; ${cookie}`)).status).toBe(401);
  for (const site of ['cross-site', 'same-site', 'none']) {
    expect((await get(path, cookie, { 'sec-fetch-site': site })).status, site).toBe(401);
  }
  const origin = { origin: 'https://elsewhere.example' };
  expect((await call(url, 'GET', path, { headers: { cookie, ...origin } })).status).toBe(401);
});

test('it shows nobody what they may not see', async () => {
  const { cookie } = await ticket(otherPath);
  expect((await get(otherPath, cookie)).status).toBe(404);
});

test('it is only made for paths of content, and cannot be forged', async () => {
  for (const wrong of [
    '/api/documents',
    '/api/auth/me',
    '//x/api/documents/a/download',
    `${path}/../..`,
    `${path}; x`,
  ]) {
    const answer = await call(url, 'POST', '/api/auth/ticket', { token: employee.token, body: { path: wrong } });
    expect(answer.status, wrong).toBe(422);
  }
  const { cookie } = await ticket(path);
  const [name, value] = cookie.split('=') as [string, string];
  const [payload, mac] = value.split('.') as [string, string];
  const claims = { ...JSON.parse(atob(payload)), path: otherPath };
  for (const forged of [`${btoa(JSON.stringify(claims))}.${mac}`, payload, `${payload}.`, `.${mac}`, '', '..']) {
    expect((await get(otherPath, `${name}=${forged}`)).status, forged).toBe(401);
    expect((await get(path, `${name}=${forged}`)).status, forged).toBe(401);
  }
});

test('it ends after a minute, and with the session', async () => {
  const { cookie } = await ticket(path);
  now += 59_000;
  expect((await get(path, cookie)).status).toBe(200);
  now += 2_000;
  expect((await get(path, cookie)).status).toBe(401);
  const fresh = await ticket(path);
  await expectCall(204, url, 'POST', '/api/auth/logout', { token: employee.token });
  expect((await get(path, fresh.cookie)).status).toBe(401);
});
