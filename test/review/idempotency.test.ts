/** Idempotency-Key on what creates without a JSON body, or only once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProgram } from '../../src/server/program.ts';
import { type Answer, call, expectCall, newCompany, type Person, password, uploadFile } from '../support/story.ts';
import { temporaryConfig } from './support.ts';

const { config, remove } = temporaryConfig();
let program: Awaited<ReturnType<typeof startProgram>>;
let url: string;
let setup: Answer<{ access_token: string }>[];
let admin: Person;

beforeAll(async () => {
  program = await startProgram(config);
  url = program.address;
  const body = { token: program.setupToken!, username: 'operator', email: 'operator@example.com', password };
  const headers = { 'idempotency-key': 'first-operator' };
  setup = [
    await call(url, 'POST', '/api/setup', { body, headers }),
    await call(url, 'POST', '/api/setup', { body, headers }),
    await call(url, 'POST', '/api/setup', { body }),
  ];
  admin = (await newCompany(url, setup[0]!.body.access_token, 'Retries')).admin;
});

afterAll(async () => {
  await program.close();
  remove();
});

test('the set-up whose answer was lost is answered again, and is over for everybody else', () => {
  expect(setup.map((answer) => answer.status)).toEqual([201, 201, 404]);
  expect(setup[1]!.text).toBe(setup[0]!.text);
});

test('a resumable upload begins once for a key', async () => {
  const begin = (filename: string, key: string) =>
    call(url, 'POST', '/api/uploads', {
      token: admin.token,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': '10',
        'upload-metadata': `filename ${btoa(filename)}`,
        'idempotency-key': key,
      },
    });
  const [first, second, third, taken] = [
    await begin('a.txt', 'one'),
    await begin('a.txt', 'one'),
    await begin('c.txt', 'two'),
    await begin('a.txt', 'three'),
  ];
  // The first holds its name until it ends; the same request again is the first, not another.
  expect([first.status, second.status, third.status, taken.status]).toEqual([201, 201, 201, 409]);
  expect(second.headers.get('location')).toBe(first.headers.get('location'));
  expect(second.headers.get('tus-resumable')).toBe('1.0.0');
  expect(third.headers.get('location')).not.toBe(first.headers.get('location'));
  expect((await begin('b.txt', 'one')).status).toBe(422);
});

test('a version is restored once for a key', async () => {
  const { id } = await uploadFile(url, admin.token, 'versions.txt', 'one');
  const restore = () =>
    expectCall<{ version: number }>(200, url, 'POST', `/api/documents/${id}/versions/1/restore`, {
      token: admin.token,
      headers: { 'idempotency-key': 'restore' },
    });
  expect(await restore()).toEqual(await restore());
  const list = await expectCall<{ items: unknown[] }>(200, url, 'GET', `/api/documents/${id}/versions`, {
    token: admin.token,
  });
  expect(list.items.length).toBe(2);
});
