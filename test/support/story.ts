/**
 * Plain HTTP without the typed client: what a stranger with curl does. Used where a test must send exactly what it
 * means to, and by the process-level tests.
 */
import { randomBytes } from 'node:crypto';

/** Made anew in every run: nothing shaped like a password stands in the repository. */
export const password = randomBytes(15).toString('base64url');

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
  readonly text: string;
}

export async function call<T = Record<string, unknown>>(
  url: string,
  method: string,
  path: string,
  options: { token?: string | null; body?: unknown; headers?: Record<string, string>; raw?: BodyInit } = {},
): Promise<Answer<T>> {
  const response = await fetch(url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.raw === undefined ? {} : { body: options.raw }),
  }).catch((error: Error) => {
    // Why stands in the cause alone, which no report shows.
    throw new Error(`${method} ${path}: ${error.message}: ${String(error.cause)}`, { cause: error });
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: (json && text !== '' ? JSON.parse(text) : {}) as T,
    text,
  };
}

/** As `call`, and throws where the status is another one than expected. */
export async function expectCall<T = Record<string, unknown>>(
  status: number,
  url: string,
  method: string,
  path: string,
  options: Parameters<typeof call>[3] = {},
): Promise<T> {
  const answer = await call<T>(url, method, path, options);
  if (answer.status !== status)
    throw new Error(`${method} ${path}: ${answer.status} instead of ${status}: ${answer.text.slice(0, 400)}`);
  return answer.body;
}

export interface SignedIn {
  access_token: string;
  refresh_token: string;
  user: { id: string; username: string; email: string; role: string; permissions: string[] };
  company: { id: string; slug: string; name: string } | null;
}

export interface Person {
  readonly id: string;
  readonly role: string;
  readonly username: string;
  readonly email: string;
  token: string;
  refresh: string;
}

export async function setUpOperator(url: string, setupToken: string): Promise<SignedIn> {
  return expectCall<SignedIn>(201, url, 'POST', '/api/setup', {
    body: { token: setupToken, username: 'operator', email: 'operator@example.com', password },
  });
}

export interface Company {
  readonly id: string;
  readonly slug: string;
  readonly bucket: string;
  readonly admin: Person;
}

function person(answer: SignedIn): Person {
  const { id, role, username, email } = answer.user;
  return { id, role, username, email, token: answer.access_token, refresh: answer.refresh_token };
}

/** A new company whose first HR admin has set a password. */
export async function newCompany(
  url: string,
  operator: string,
  name: string,
  more: Record<string, unknown> = {},
): Promise<Company> {
  const email = `hr-admin@${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.example`;
  const made = await expectCall<{ id: string; slug: string; bucket: string; invitation: { token: string } }>(
    201,
    url,
    'POST',
    '/api/companies',
    { token: operator, body: { name, email, admin: { email, full_name: 'HR admin' }, ...more } },
  );
  return {
    id: made.id,
    slug: made.slug,
    bucket: made.bucket,
    admin: await acceptInvitation(url, made.invitation.token, 'hr-admin'),
  };
}

export async function acceptInvitation(url: string, token: string, username: string): Promise<Person> {
  const answer = await expectCall<SignedIn>(201, url, 'POST', '/api/user-management/setup-password', {
    body: { token, password, username },
  });
  return person(answer);
}

/** Invites and accepts: a person of `role` in the inviter's company. */
export async function invitePerson(url: string, inviter: Person, role: string, username: string): Promise<Person> {
  const email = `${username}@people.example`;
  const invitation = await expectCall<{ token: string }>(201, url, 'POST', '/api/user-management/invite', {
    token: inviter.token,
    body: { email, full_name: `${role} person`, role },
  });
  return acceptInvitation(url, invitation.token, username);
}

export interface UploadedDocument {
  id: string;
  filename: string;
  sha256: string;
  size_bytes: number;
}

export function fileForm(filename: string, bytes: Uint8Array | string, fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([bytes as string], { type: 'application/octet-stream' }), filename);
  return form;
}

export async function uploadFile(
  url: string,
  token: string,
  filename: string,
  bytes: Uint8Array | string,
  fields: Record<string, string> = {},
): Promise<UploadedDocument> {
  return expectCall<UploadedDocument>(201, url, 'POST', '/api/documents/upload', {
    token,
    raw: fileForm(filename, bytes, fields),
  });
}

export async function logIn(url: string, username: string, company?: string): Promise<SignedIn> {
  return expectCall<SignedIn>(200, url, 'POST', '/api/auth/login', {
    body: { username, password, ...(company === undefined ? {} : { company }) },
  });
}
