/** Clients that go away in the middle of an upload: the server lives, and nothing of them is left. */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestProgram, type TestCompany, type TestPerson, type TestProgram } from '../support/program.ts';
import { atRest, companyWorld } from '../support/world.ts';

let running: TestProgram;
let company: TestCompany;
let employee: TestPerson;
beforeAll(async () => {
  running = await startTestProgram();
  company = await running.company('Hanging up');
  employee = await running.person(company.admin, 'employee');
  await employee.client.documents.upload(new Uint8Array(1_000), { filename: 'whole.bin' });
});
afterAll(() => running.stop());

const requestHead = (line: string, headers: readonly string[]) =>
  `${line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${employee.token}\r\n${headers.join('\r\n')}\r\n\r\n`;

/** Sends `bytes` and goes: quietly, with a reset, or having closed its own side first. */
function hangUp(bytes: string, way: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
    socket.on('error', () => undefined).on('close', () => resolve());
    socket.write(bytes, () => {
      setTimeout(() => {
        if (way % 3 === 0) socket.destroy();
        else if (way % 3 === 1) socket.resetAndDestroy();
        else socket.end(() => socket.destroy());
      }, 1);
    });
  });
}

async function inLanes(total: number, lanes: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < total) {
      next += 1;
      await work(next);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

const world = () => companyWorld(running.dataDir, company.id, company.bucket);

const temporary = () => {
  const bucket = join(running.dataDir, 'buckets', company.bucket);
  return readdirSync(join(bucket, 'tmp'), { recursive: true });
};

test('a thousand multipart uploads that break off leave no file and no row', async () => {
  const before = await atRest(world);
  await inLanes(1_000, 16, async (index) => {
    const head = requestHead('POST /api/documents/upload', [
      'Content-Type: multipart/form-data; boundary=x',
      'Content-Length: 500000',
    ]);
    const part = `--x\r\nContent-Disposition: form-data; name="file"; filename="f${index}.bin"\r\n\r\n`;
    const body = part + 'a'.repeat((index * 97) % 70_000);
    // Some go away within the request's headers, or within the part's.
    await hangUp((head + body).slice(0, index % 5 === 0 ? (index % head.length) + 1 : undefined), index);
  });
  expect((await fetch(`${running.url}/health`)).status).toBe(200);
  await expect.poll(temporary, { timeout: 10_000 }).toEqual([]);
  expect(world()).toEqual(before);
  expect((await employee.client.documents.listDocuments()).items.map((document) => document.filename)).toEqual([
    'whole.bin',
  ]);
});

test('other people are served meanwhile', async () => {
  const head = requestHead('POST /api/documents/upload', [
    'Content-Type: multipart/form-data; boundary=x',
    'Content-Length: 500000',
  ]);
  const part = '--x\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\nabc';
  const storm = inLanes(100, 8, (index) => hangUp(head + part, index));
  for (let index = 0; index < 10; index += 1) {
    const document = await company.admin.client.documents.upload(new Uint8Array(100), {
      filename: `during-${index}.bin`,
    });
    expect(document.size_bytes).toBe(100);
  }
  await storm;
});

test('a download that is given up does no harm', async () => {
  const document = await employee.client.documents.upload(new Uint8Array(5_000_000), { filename: 'large.bin' });
  await inLanes(50, 8, (index) =>
    hangUp(requestHead(`GET /api/documents/${document.id}/download`, ['Accept: */*']), index),
  );
  const answer = await employee.client.documents.downloadDocument({ params: { id: document.id } });
  expect((await (answer as Response).arrayBuffer()).byteLength).toBe(5_000_000);
});
