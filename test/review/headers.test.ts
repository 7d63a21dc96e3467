/** What stands in headers, where clients rely on it to the letter. */
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProgram } from '../../src/server/program.ts';
import { call, newCompany, type Person, password, setUpOperator, uploadFile } from '../support/story.ts';
import { temporaryConfig } from './support.ts';

const { config, remove } = temporaryConfig();
let program: Awaited<ReturnType<typeof startProgram>>;
let url: string;
let admin: Person;

beforeAll(async () => {
  program = await startProgram(config);
  url = program.address;
  const operator = await setUpOperator(url, program.setupToken!);
  admin = (await newCompany(url, operator.access_token, 'Headers')).admin;
});

afterAll(async () => {
  await program.close();
  remove();
});

test('a range beyond the end says how long the document is', async () => {
  const { id } = await uploadFile(url, admin.token, 'six.txt', 'sixsix');
  const path = `/api/documents/${id}/download`;
  const answer = await call(url, 'GET', path, { token: admin.token, headers: { range: 'bytes=100-' } });
  expect(answer.status).toBe(416);
  expect(answer.headers.get('content-range')).toBe('bytes */6');
});

test('HEAD of a resumable upload announces no body', async () => {
  const headers = { authorization: `Bearer ${admin.token}`, 'tus-resumable': '1.0.0' };
  const begun = await call(url, 'POST', '/api/uploads', {
    headers: { ...headers, 'upload-length': '5', 'upload-metadata': `filename ${btoa('five.txt')}` },
  });
  const answer = await new Promise<NodeJS.Dict<string | string[]>>((resolve, reject) => {
    const asked = request(new URL(begun.headers.get('location')!, url), { method: 'HEAD', headers });
    asked.on('response', (response) => resolve(response.headers)).on('error', reject);
    asked.end();
  });
  expect(answer['content-length'] ?? '0').toBe('0');
  expect(answer['upload-offset']).toBe('0');
});

test('the refresh cookie comes back under the prefix that gave it', async () => {
  for (const prefix of ['/api', '/api/v1']) {
    const answer = await call(url, 'POST', `${prefix}/auth/login`, {
      body: { username: admin.email, password },
      headers: { 'x-strongroom-client': 'web' },
    });
    expect(answer.headers.get('set-cookie')).toContain(`; Path=${prefix}/auth; HttpOnly; SameSite=Strict`);
  }
});
