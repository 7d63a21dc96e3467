/** The story up to a signed-in HR admin, through plain HTTP, so that cases can measure what comes after. */

// Passwords of throw-away servers are made anew at every run.
import { randomBytes } from 'node:crypto';
import type { Running } from './server.ts';
export const password = randomBytes(12).toString('base64url');

export async function call(url: string, method: string, path: string, token: string | null, body?: unknown) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return text === '' ? null : JSON.parse(text);
}

export interface Member {
  readonly company: string;
  readonly username: string;
  token: string;
}

export async function setUpOperator(server: Running): Promise<string> {
  const answer = await call(server.url, 'POST', '/api/setup', null, {
    token: server.setupToken,
    username: 'operator',
    email: 'operator@example.com',
    password,
  });
  return answer.access_token;
}

let companies = 0;

/** A new company with a signed-in HR admin. */
export async function newCompany(server: Running, operator: string): Promise<Member> {
  companies += 1;
  const username = `hr-admin-${companies}`;
  const company = await call(server.url, 'POST', '/api/companies', operator, {
    name: `Company ${companies}`,
    email: `office-${companies}@example.com`,
    admin: { email: `${username}@example.com`, full_name: 'HR admin' },
  });
  const signedIn = await call(server.url, 'POST', '/api/user-management/setup-password', null, {
    token: company.invitation.token,
    password,
    username,
  });
  return { company: company.id, username, token: signedIn.access_token };
}

export async function upload(url: string, token: string, filename: string, bytes: Uint8Array): Promise<unknown> {
  const form = new FormData();
  form.set('file', new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'text/plain' }), filename);
  const response = await fetch(`${url}/api/documents/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  const answer = await response.text();
  if (response.status !== 201) throw new Error(`upload: ${response.status} ${answer.slice(0, 300)}`);
  return JSON.parse(answer);
}

export async function login(url: string, member: Member): Promise<string> {
  const answer = await call(url, 'POST', '/api/auth/login', null, {
    username: member.username,
    password,
    company: member.company,
  });
  return answer.access_token;
}
