/**
 * The tries to reach one company's documents with the other's credentials. Each says what it did, what it got, and
 * whether it got through; a try that only fails because it was clumsy proves nothing, so each has a counterpart that
 * works at home.
 */
import { randomBytes } from 'node:crypto';
import { newId } from '../../kernel/ids.ts';
import type { FetchLike } from '../transport.ts';
import type { DemoCompany, DemoPerson } from './company.ts';

export interface Attempt {
  readonly group: string;
  readonly what: string;
  readonly got: string;
  readonly through: boolean;
}

interface Try {
  readonly group: string;
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Statuses with which a wall answers. */
  readonly walls: readonly number[];
}

/** @param thief works for the other company  @param victim whose documents are wanted */
export async function httpAttempts(
  base: string,
  fetch: FetchLike,
  operatorToken: string,
  thief: DemoCompany,
  victim: DemoCompany,
): Promise<Attempt[]> {
  const { hr_admin: admin } = thief.people;
  const tries = [...byId(admin, victim), ...byToken(thief, victim), ...byRole(operatorToken, admin, victim)];
  const results: Attempt[] = [];
  for (const each of tries) results.push(await attempt(base, fetch, each));
  results.push(await sameAsUnknown(base, fetch, admin, victim));
  results.push(await headersChangeNothing(base, fetch, admin, thief, victim));
  return results;
}

function byId(admin: DemoPerson, victim: DemoCompany): Try[] {
  const group = 'With the other company’s ids';
  const document = victim.documents[0]!;
  const path = `/api/documents/${document.id}`;
  const mine = { group, token: admin.token, walls: [404] };
  return [
    { ...mine, what: `read ${document.filename} by its id`, method: 'GET', path },
    { ...mine, what: 'download its bytes', method: 'GET', path: `${path}/download` },
    { ...mine, what: 'read its history', method: 'GET', path: `${path}/history` },
    { ...mine, what: 'rename it', method: 'PATCH', path, body: { filename: 'mine.md' } },
    { ...mine, what: 'delete it for good', method: 'DELETE', path: `${path}?purge=true` },
    {
      ...mine,
      what: 'share it with myself',
      method: 'PUT',
      path: `${path}/shares/${admin.id}`,
      body: { access: 'read' },
    },
    { ...mine, what: 'list the other basket', method: 'GET', path: `/api/baskets/${victim.basketId}/documents` },
    {
      ...mine,
      what: 'look up the other HR admin',
      method: 'GET',
      path: `/api/user-management/users/${victim.people.hr_admin.id}`,
    },
  ];
}

function byToken(thief: DemoCompany, victim: DemoCompany): Try[] {
  const group = 'With tokens and passwords';
  const admin = thief.people.hr_admin;
  const [head = '', claims = '', signature = ''] = admin.token.split('.');
  const parsed = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
  const edited = Buffer.from(JSON.stringify({ ...parsed, company_id: victim.company.id })).toString('base64url');
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
  const secret = admin.refreshToken.split('.')[1] ?? '';
  const homePart = victim.company.id.slice(victim.company.id.indexOf('_') + 1);
  const list = { group, method: 'GET', path: '/api/documents', walls: [401] };
  return [
    { ...list, what: 'write the other company into my token', token: `${head}.${edited}.${signature}` },
    { ...list, what: 'the same, saying that tokens need no signature', token: `${unsigned}.${edited}.` },
    {
      group,
      what: 'sign in there with my own password',
      method: 'POST',
      path: '/api/auth/login',
      body: { username: admin.email, password: admin.password, company: victim.company.slug },
      walls: [401],
    },
    {
      group,
      what: 'point my refresh token at the other company',
      method: 'POST',
      path: '/api/auth/refresh',
      body: { refresh_token: `${homePart}.${secret}` },
      walls: [401],
    },
    {
      group,
      what: 'switch there without a password of theirs',
      method: 'POST',
      path: '/api/auth/switch',
      token: admin.token,
      body: { company_id: victim.company.id },
      walls: [401, 403, 404, 422],
    },
    {
      group,
      what: 'guess an invitation of theirs',
      method: 'GET',
      path: `/api/user-management/invitation/${homePart}.${randomBytes(32).toString('base64url')}`,
      walls: [404],
    },
  ];
}

function byRole(operatorToken: string, admin: DemoPerson, victim: DemoCompany): Try[] {
  const group = 'With rank';
  return [
    {
      group,
      what: 'as HR admin: ask for the other company’s record',
      method: 'GET',
      path: `/api/companies/${victim.company.id}`,
      token: admin.token,
      walls: [403],
    },
    {
      group,
      what: 'as HR admin: delete the other company',
      method: 'DELETE',
      path: `/api/companies/${victim.company.id}?confirm=${victim.company.slug}&purge=now`,
      token: admin.token,
      walls: [403],
    },
    {
      group,
      what: 'as operator: read a company’s document',
      method: 'GET',
      path: `/api/documents/${victim.documents[0]!.id}`,
      token: operatorToken,
      walls: [403],
    },
  ];
}

interface Got {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function send(base: string, fetch: FetchLike, asked: Omit<Try, 'group' | 'what' | 'walls'>): Promise<Got> {
  const answer = await fetch(`${base}${asked.path}`, {
    method: asked.method,
    headers: {
      ...(asked.token === undefined ? {} : { authorization: `Bearer ${asked.token}` }),
      ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...asked.headers,
    },
    ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
  });
  const text = await answer.text();
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Bytes, or nothing: the status tells.
  }
  return { status: answer.status, body };
}

function said({ status, body }: Got): string {
  return typeof body.code === 'string' ? `${status} ${body.code}` : String(status);
}

async function attempt(base: string, fetch: FetchLike, each: Try): Promise<Attempt> {
  const got = await send(base, fetch, each);
  return { group: each.group, what: each.what, got: said(got), through: !each.walls.includes(got.status) };
}

/** What is answered for the other company's document must not even tell that it exists. */
async function sameAsUnknown(base: string, fetch: FetchLike, admin: DemoPerson, victim: DemoCompany): Promise<Attempt> {
  const ask = async (id: string) => {
    const got = await send(base, fetch, { method: 'GET', path: `/api/documents/${id}`, token: admin.token });
    const { instance: _, ...rest } = got.body;
    return JSON.stringify([got.status, rest]);
  };
  const same = (await ask(victim.documents[0]!.id)) === (await ask(newId('document')));
  return {
    group: 'With the other company’s ids',
    what: 'tell their document from one that never existed',
    got: same ? 'both answers are the same' : 'the answers differ',
    through: !same,
  };
}

/** Headers and parameters that name another company must not choose it. */
async function headersChangeNothing(
  base: string,
  fetch: FetchLike,
  admin: DemoPerson,
  thief: DemoCompany,
  victim: DemoCompany,
): Promise<Attempt> {
  const names = {
    'x-tenant-id': victim.company.id,
    'x-company-id': victim.company.id,
    'x-company': victim.company.slug,
  };
  const got = await send(base, fetch, { method: 'GET', path: '/api/documents', token: admin.token, headers: names });
  const items = Array.isArray(got.body.items) ? (got.body.items as { id: string }[]) : [];
  const foreign = items.filter((item) => !thief.documents.some((document) => document.id === item.id));
  const home = foreign.length === 0;
  return {
    group: 'With tokens and passwords',
    what: 'name the other company in headers',
    got: home ? `${got.status}, my own ${items.length} documents` : `${foreign.length} documents of theirs`,
    through: !home,
  };
}
