import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  startTestProgram,
  type TestCompany,
  type TestPerson,
  type TestProgram,
} from '../../../test/support/program.ts';
import { call, fileForm } from '../../../test/support/story.ts';

let test: TestProgram;
let company: TestCompany;
let person: TestPerson;

beforeAll(async () => {
  test = await startTestProgram();
  company = await test.company('Documents');
  person = await test.person(company.admin, 'employee');
});
afterAll(() => test?.stop());

/** Members that some answer here has. */
interface AnyBody {
  readonly id: string;
  readonly code: string;
  readonly filename: string;
  readonly version: number;
  readonly items: readonly { readonly action: string }[];
}

const as = (who: TestPerson, method: string, path: string, more: Parameters<typeof call>[3] = {}) =>
  call<AnyBody>(test.url, method, path, { token: who.token, ...more });
const send = (who: TestPerson, name: string, bytes: string, fields?: Record<string, string>) =>
  as(who, 'POST', '/api/documents/upload', { raw: fileForm(name, bytes, fields) });

function filesOf(one: TestCompany): string[] {
  return readdirSync(join(test.dataDir, 'buckets', one.bucket), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

describe('documents over HTTP', () => {
  it('are uploaded, listed, read, changed, downloaded, trashed, restored and purged', async () => {
    const made = await send(person, 'story.txt', 'once upon a time', { metadata: '{"kind":"tale"}' });
    expect(made.status, made.text).toBe(201);
    const path = `/api/documents/${made.body.id}`;
    expect(made.headers.get('location')).toBe(path);
    expect((await as(person, 'GET', '/api/documents?metadata.kind=tale&total=true')).body).toMatchObject({ total: 1 });
    expect((await as(person, 'GET', '/api/documents?nonsense=1')).status).toBe(422);
    expect((await as(person, 'PATCH', path, { body: { filename: 'tale.txt', tags: ['a'] } })).body).toMatchObject({
      filename: 'tale.txt',
      tags: ['a'],
    });
    for (const body of [
      { owner_id: person.id },
      { filename: 'a/b' },
      { tags: 'a' },
      { metadata: [] },
      { metadata: { id: 1 } },
    ]) {
      expect((await as(person, 'PATCH', path, { body })).status, JSON.stringify(body)).toBe(422);
    }
    const got = await as(person, 'GET', `${path}/download`);
    expect(got.text).toBe('once upon a time');
    const head = await as(person, 'HEAD', `${path}/download`);
    expect(head.status).toBe(200);
    for (const name of [
      'content-length',
      'content-type',
      'etag',
      'content-disposition',
      'accept-ranges',
      'content-security-policy',
      'cache-control',
    ]) {
      expect(head.headers.get(name), name).toBe(got.headers.get(name));
    }
    expect(got.headers.get('content-security-policy')).toContain('sandbox');
    const etag = got.headers.get('etag')!;
    expect((await as(person, 'GET', `${path}/download`, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const part = await as(person, 'GET', `${path}/download`, { headers: { range: 'bytes=-4' } });
    expect([part.status, part.text, part.headers.get('content-range')]).toEqual([206, 'time', 'bytes 12-15/16']);
    const beyond = await as(person, 'GET', `${path}/download`, { headers: { range: 'bytes=99-' } });
    expect([beyond.status, beyond.body.code]).toEqual([416, 'range_not_satisfiable']);
    expect((await as(person, 'PATCH', path, { body: { tags: [] }, headers: { 'if-match': '"x"' } })).status).toBe(412);
    const version = await as(person, 'POST', `${path}/versions`, { raw: fileForm('x', 'second') });
    expect([version.status, version.body.version]).toEqual([201, 2]);
    expect((await as(person, 'POST', `${path}/versions/1/restore`)).body.version).toBe(3);
    expect((await as(person, 'GET', `${path}/versions`)).body.items).toHaveLength(3);
    const history = (await as(person, 'GET', `${path}/history`)).body.items;
    expect(history.map(({ action }) => action)).toEqual(['version_added', 'version_added', 'updated', 'created']);
    expect((await as(person, 'DELETE', path)).status).toBe(204);
    expect((await as(person, 'DELETE', path)).status).toBe(404);
    expect((await as(person, 'GET', `${path}/download`)).status).toBe(404);
    expect((await as(person, 'POST', `${path}/restore`)).status).toBe(200);
    expect((await as(person, 'DELETE', `${path}?purge=true`)).status).toBe(204);
    expect((await as(person, 'GET', path)).status).toBe(404);
    expect((await as(company.admin, 'GET', path)).status).toBe(404);
  });

  it('a taken name is 409 with the document, a wrong multipart body 4xx without an effect', async () => {
    const made = await send(person, 'taken.txt', 'x');
    const again = await send(person, 'taken.txt', 'y');
    expect(again.body).toMatchObject({ status: 409, code: 'filename_taken', document_id: made.body.id });
    const before = filesOf(company);
    const boundary = 'b0undary';
    const body = (text: string) => ({
      raw: text,
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    });
    const file = (disposition: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\nbytes\r\n--${boundary}--\r\n`;
    const cases: [number, string][] = [
      [400, ''],
      [400, 'preamble only'],
      [400, `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="cut.txt"\r\n\r\nbytes`],
      [422, file('name="file"; filename=""')],
      [422, file('name="other"; filename="a.txt"')],
      [422, file('name="file"')],
      [422, file('name="__proto__"')],
      [422, file(`name="file"; filename="a.pdf"; filename*=UTF-8''..%2F..%2Fevil.sh`)],
      [422, file('name="file"; filename=".."')],
    ];
    for (const [status, text] of cases) {
      const answer = await as(person, 'POST', '/api/documents/upload', body(text));
      expect([answer.status, answer.headers.get('content-type')], text).toEqual([status, 'application/problem+json']);
    }
    expect(filesOf(company)).toEqual(before);
  });

  it('clients that hang up in an upload leave nothing', async () => {
    const before = filesOf(company);
    const hangUp = () =>
      new Promise<void>((resolve) => {
        const sent = request(`${test.url}/api/documents/upload`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${person.token}`,
            'content-type': 'multipart/form-data; boundary=b',
            'content-length': 2_000_000,
          },
        });
        sent.on('error', () => resolve()).on('close', () => resolve());
        sent.write(
          `--b\r\nContent-Disposition: form-data; name="file"; filename="gone.bin"\r\n\r\n${'y'.repeat(900_000)}`,
        );
        setTimeout(() => sent.destroy(), Math.random() * 40);
      });
    for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 20 }, hangUp));
    expect((await send(person, 'after.txt', 'after the storm')).status).toBe(201);
    const deadline = Date.now() + 10_000;
    while (filesOf(company).length !== before.length + 1 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(filesOf(company)).toHaveLength(before.length + 1);
    expect((await as(person, 'GET', '/api/documents?q=gone')).body.items).toEqual([]);
  });

  it('names that break naive headers can be downloaded', async () => {
    for (const name of ['a"; x=y.txt', 'ünï \u{1f600}.txt', 'percent%41.txt', 'semi;colon.txt', 'x'.repeat(255)]) {
      const made = await send(person, name, name);
      expect(made.status, made.text).toBe(201);
      expect(made.body.filename).toBe(name.normalize('NFC'));
      const got = await as(person, 'GET', `/api/documents/${made.body.id}/download`);
      expect(got.text).toBe(name);
      const { 1: encoded } = /filename\*=UTF-8''(.*)$/.exec(got.headers.get('content-disposition')!)!;
      expect(decodeURIComponent(encoded!)).toBe(name);
    }
  });

  it('baskets and shares work by the roles of people', async () => {
    const customer = await test.person(person, 'customer');
    const basket = (await as(person, 'POST', '/api/baskets', { body: { name: 'Inbox' } })).body;
    expect((await as(person, 'POST', '/api/baskets', { body: { name: 'Inbox' } })).body.code).toBe('name_taken');
    expect((await as(customer, 'POST', '/api/baskets', { body: { name: 'Mine' } })).status).toBe(403);
    const path = `/api/baskets/${basket.id}`;
    expect((await as(customer, 'GET', path)).status).toBe(404);
    expect((await send(customer, 'no.txt', 'x')).status).toBe(403);
    expect((await as(person, 'PUT', `${path}/shares/${customer.id}`, { body: { access: 'write' } })).status).toBe(200);
    expect((await as(person, 'PUT', `${path}/shares/hr_admin`, { body: { access: 'read' } })).status).toBe(404);
    expect((await as(customer, 'GET', path)).body).toMatchObject({ access: 'write' });
    expect((await as(customer, 'PUT', `${path}/shares/${person.id}`, { body: { access: 'read' } })).status).toBe(403);
    expect((await send(customer, 'yes.txt', 'x', { basket_id: basket.id })).status).toBe(201);
    expect((await as(person, 'GET', `${path}/documents`)).body.items).toHaveLength(1);
    expect((await as(person, 'DELETE', path)).body.code).toBe('basket_not_empty');
    expect((await as(person, 'DELETE', `${path}/shares/${customer.id}`)).status).toBe(204);
    expect((await as(customer, 'GET', path)).status).toBe(404);
  });
});

describe('tus over HTTP', () => {
  const payload = Buffer.alloc(300_000, 'tus');

  function upload(name: string, options: Partial<ConstructorParameters<typeof Upload>[1]> = {}) {
    return new Promise<Upload>((resolve, reject) => {
      const one: Upload = new Upload(payload, {
        endpoint: `${test.url}/api/uploads`,
        headers: { authorization: `Bearer ${person.token}` },
        metadata: { filename: name, filetype: 'text/plain' },
        retryDelays: [0, 50],
        onSuccess: () => resolve(one),
        onError: reject,
        ...options,
      });
      one.start();
    });
  }

  it('says what it can', async () => {
    const answer = await call(test.url, 'OPTIONS', '/api/uploads');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('tus-version')).toBe('1.0.0');
    expect(answer.headers.get('tus-extension')).toBe('creation,creation-with-upload,expiration,termination');
  });

  it('works with the protocol’s own client: in chunks, at once, and resumed', async () => {
    const documents: string[] = [];
    const onAfterResponse = (_request: unknown, response: { getHeader(name: string): string | undefined }) => {
      const id = response.getHeader('strongroom-document');
      if (id !== undefined) documents.push(id);
    };
    await upload('chunks.txt', { chunkSize: 70_000, onAfterResponse });
    await upload('once.txt', { uploadDataDuringCreation: true, onAfterResponse });
    let address: string | null = null;
    await new Promise<void>((resolve) => {
      const first = new Upload(payload, {
        endpoint: `${test.url}/api/uploads`,
        headers: { authorization: `Bearer ${person.token}` },
        metadata: { filename: 'resumed.txt' },
        chunkSize: 50_000,
        onChunkComplete: (_size, sent) => {
          address = first.url;
          if (sent >= 100_000) void first.abort().then(resolve);
        },
      });
      first.start();
    });
    await upload('resumed.txt', { uploadUrl: address, chunkSize: 120_000, onAfterResponse });
    expect(new Set(documents).size).toBe(3);
    for (const id of new Set(documents)) {
      expect((await as(person, 'GET', `/api/documents/${id}/download`)).text).toBe(payload.toString());
    }
  });

  it('refuses in the protocol’s way', async () => {
    const tus = { 'tus-resumable': '1.0.0' };
    const metadata = { 'upload-metadata': `filename ${Buffer.from('refused.txt').toString('base64')}` };
    const made = await as(person, 'POST', '/api/uploads', { headers: { ...tus, ...metadata, 'upload-length': '10' } });
    expect(made.status, made.text).toBe(201);
    const path = made.headers.get('location')!;
    const patch = (who: TestPerson, headers: Record<string, string>, raw = 'x') =>
      as(who, 'PATCH', path, {
        raw,
        headers: { ...tus, 'content-type': 'application/offset+octet-stream', ...headers },
      });
    expect((await patch(person, { 'upload-offset': '5' })).status).toBe(409);
    expect((await patch(person, { 'upload-offset': '0' }, 'x'.repeat(11))).status).toBe(413);
    expect((await patch(person, { 'upload-offset': '0', 'content-type': 'text/plain' })).status).toBe(415);
    expect((await patch(person, { 'upload-offset': '0', 'tus-resumable': '2.0.0' })).status).toBe(412);
    expect((await patch(company.admin, { 'upload-offset': '0' })).status).toBe(404);
    const head = await as(person, 'HEAD', path, { headers: tus });
    expect([head.status, head.headers.get('upload-offset'), head.headers.get('cache-control')]).toEqual([
      200,
      '0',
      'no-store',
    ]);
    expect((await as(person, 'DELETE', path, { headers: tus })).status).toBe(204);
    expect((await as(person, 'HEAD', path, { headers: tus })).status).toBe(404);
  });
});
