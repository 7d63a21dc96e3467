/**
 * A right that is lost while bytes move: an upload that was begun before is not kept after, and a download that runs is
 * broken off within the 5 s that are promised.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProgram } from '../../src/server/program.ts';
import { type Company, call, expectCall, fileForm, invitePerson, newCompany, setUpOperator } from '../support/story.ts';
import { temporaryConfig } from './support.ts';

const { config, remove } = temporaryConfig();
let program: Awaited<ReturnType<typeof startProgram>>;
let url: string;
let operator: string;

beforeAll(async () => {
  program = await startProgram(config);
  url = program.address;
  operator = (await setUpOperator(url, program.setupToken!)).access_token;
});

afterAll(async () => {
  await program.close();
  remove();
});

/** What is still to be sent when the answer has come is nobody's concern. */
const ignore = () => undefined;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends most of a file, does `during`, sends the rest. */
async function uploadAround(token: string, filename: string, during: () => Promise<unknown>) {
  const boundary = 'boundary-of-the-test';
  const { readable: body, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const out = writable.getWriter();
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n\r\n`;
  const answer = fetch(`${url}/api/documents/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': `multipart/form-data; boundary=${boundary}` },
    body,
    duplex: 'half',
  } as RequestInit).then(async (response) => ({ status: response.status, text: await response.text() }));
  out.write(Buffer.from(head + 'x'.repeat(100_000))).catch(ignore);
  await wait(250);
  await during();
  out.write(Buffer.from(`the end\r\n--${boundary}--\r\n`)).catch(ignore);
  out.close().catch(ignore);
  return answer;
}

const names = async (company: Company) => {
  const list = await expectCall<{ items: { filename: string }[] }>(200, url, 'GET', '/api/documents', {
    token: company.admin.token,
  });
  return list.items.map((document) => document.filename);
};

test('an upload is not kept when its sender was signed out or disabled meanwhile', async () => {
  const company = await newCompany(url, operator, 'Uploads');
  const employee = await invitePerson(url, company.admin, 'employee', 'employee');
  const other = await invitePerson(url, company.admin, 'employee', 'other-employee');
  const signedOut = await uploadAround(employee.token, 'signed-out.txt', () =>
    expectCall(204, url, 'POST', '/api/auth/logout', { token: employee.token }),
  );
  const disabled = await uploadAround(other.token, 'disabled.txt', () =>
    expectCall(204, url, 'DELETE', `/api/user-management/users/${other.id}`, { token: company.admin.token }),
  );
  expect([signedOut.status, disabled.status]).toEqual([401, 401]);
  expect(await names(company)).toEqual([]);
});

test('an upload is not kept when its sender may not upload any more', async () => {
  const company = await newCompany(url, operator, 'Demotion');
  const employee = await invitePerson(url, company.admin, 'employee', 'demoted-employee');
  const answer = await uploadAround(employee.token, 'demoted.txt', () =>
    expectCall(200, url, 'PATCH', `/api/user-management/users/${employee.id}`, {
      token: company.admin.token,
      body: { role: 'customer' },
    }),
  );
  expect(answer.status).toBe(403);
  expect(await names(company)).toEqual([]);
});

test('an upload into a company that is suspended, deleted or purged meanwhile is 401', async () => {
  const company = await newCompany(url, operator, 'Leaving');
  const { token } = company.admin;
  const verb = (method: string, path: string, status: number) =>
    uploadAround(token, `${status}.txt`, () =>
      expectCall(status, url, method, `/api/companies/${company.id}${path}`, { token: operator }),
    );
  expect((await verb('POST', '/suspend', 200)).status).toBe(401);
  await expectCall(200, url, 'POST', `/api/companies/${company.id}/resume`, { token: operator });
  expect((await verb('DELETE', `?confirm=${company.slug}`, 202)).status).toBe(401);
  await expectCall(200, url, 'POST', `/api/companies/${company.id}/restore`, { token: operator });
  expect(await names(company)).toEqual([]);
  const purged = await verb('DELETE', `?confirm=${company.slug}&purge=now`, 204);
  expect(purged.status, purged.text).toBe(401);
});

test('a resumable upload makes no document for someone who was signed out meanwhile', async () => {
  const company = await newCompany(url, operator, 'Resumables');
  const employee = await invitePerson(url, company.admin, 'employee', 'resuming-employee');
  const tus = { authorization: `Bearer ${employee.token}`, 'tus-resumable': '1.0.0' };
  const begun = await call(url, 'POST', '/api/uploads', {
    headers: { ...tus, 'upload-length': '8', 'upload-metadata': `filename ${btoa('resumed.txt')}` },
  });
  const { readable: body, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const out = writable.getWriter();
  const answer = fetch(new URL(begun.headers.get('location')!, url), {
    method: 'PATCH',
    headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body,
    duplex: 'half',
  } as RequestInit);
  out.write(Buffer.from('1234')).catch(ignore);
  await wait(250);
  await expectCall(204, url, 'POST', '/api/auth/logout', { token: employee.token });
  out.write(Buffer.from('5678')).catch(ignore);
  out.close().catch(ignore);
  expect((await answer).status).toBe(401);
  expect(await names(company)).toEqual([]);
});

test('a running download breaks off within 5 s, never with a clean end', { timeout: 30_000 }, async () => {
  const company = await newCompany(url, operator, 'Downloads');
  const { token } = company.admin;
  const made = await expectCall<{ id: string }>(201, url, 'POST', '/api/documents/upload', {
    token,
    raw: fileForm('large.bin', new Uint8Array(40_000_000)),
  });
  const response = await fetch(`${url}/api/documents/${made.id}/download`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const reader = response.body!.getReader();
  await reader.read();
  await expectCall(200, url, 'POST', `/api/companies/${company.id}/suspend`, { token: operator });
  const since = performance.now();
  await expect(
    (async () => {
      for (;;) {
        await wait(100);
        if ((await reader.read()).done) return;
      }
    })(),
  ).rejects.toThrow();
  expect(performance.now() - since).toBeLessThan(10_000);
});
