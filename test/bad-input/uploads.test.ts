/** Catalogue 3.6: uploads by multipart and by tus. Whatever is refused leaves no document, no object and no quota behind. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningProcess, startProcess } from '../support/process.ts';
import {
  type Answer,
  type Company,
  call,
  expectCall,
  fileForm,
  invitePerson,
  newCompany,
  setUpOperator,
  uploadFile,
} from '../support/story.ts';
import { atRest, companyWorld } from '../support/world.ts';
import { judge } from './refusals.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-uploads-'));
const limit = 300_000;
let server: RunningProcess;
let operator = '';
let own: Company;
let other: Company;
let serial = 0;

beforeAll(async () => {
  server = await startProcess(folder, {
    env: {
      STRONGROOM_LOG_LEVEL: 'error',
      STRONGROOM_MAX_UPLOAD_BYTES: String(limit),
      STRONGROOM_OBJECT_GRACE_SECONDS: '0',
    },
  });
  operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
  own = await newCompany(server.url, operator, 'Own Works');
  other = await newCompany(server.url, operator, 'Other Works');
}, 60_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const fresh = (ending = 'txt') => {
  serial += 1;
  return `file-${serial}.${ending}`;
};
const boundary = 'the-boundary';
const post = (raw: BodyInit, contentType?: string, token = own.admin.token) =>
  call(server.url, 'POST', '/api/documents/upload', {
    token,
    raw,
    headers: contentType === undefined ? {} : { 'content-type': contentType },
  });
const multipart = (text: string) => post(text.replaceAll('\n', '\r\n'), `multipart/form-data; boundary=${boundary}`);
const part = (disposition: string, content = 'x') =>
  `--${boundary}\nContent-Disposition: form-data; ${disposition}\n\n${content}\n`;
const end = `--${boundary}--\n`;

/** Documents, rows and objects of the own company, without the counters that a refusal may move. */
const world = () => companyWorld(folder, own.id, own.bucket);

async function refused(statuses: number | number[], what: string, send: () => Promise<Answer>) {
  const before = await atRest(world);
  judge(await send(), statuses, what);
  expect(world(), what).toEqual(before);
}

test('115–119, 124, 152: bodies that are no upload', async () => {
  await refused([400, 415, 422], 'json', () =>
    call(server.url, 'POST', '/api/documents/upload', { token: own.admin.token, body: { file: 'x' } }),
  );
  await refused([400, 415, 422], 'no boundary', () => post('x', 'multipart/form-data'));
  await refused([400, 415, 422], 'boundary of 71', () => post('x', `multipart/form-data; boundary=${'b'.repeat(71)}`));
  await refused([400, 422], 'empty', () => post('', `multipart/form-data; boundary=${boundary}`));
  await refused([400, 422], 'preamble alone', () => multipart('just a preamble\n'));
  await refused([400, 422], 'no final boundary', () => multipart(part('name="file"; filename="a.txt"')));
  await refused([400, 422], 'filename=""', () => multipart(part('name="file"; filename=""') + end));
  await refused([400, 422], 'no file', () => multipart(part('name="metadata"', '{}') + end));
  await refused([400, 413, 422], 'two files', () =>
    multipart(part('name="file"; filename="a.txt"') + part('name="file"; filename="b.txt"') + end),
  );
  await refused([400, 422], 'unexpected file field', () => multipart(part('name="other"; filename="a.txt"') + end));
  await refused([400, 413, 422], '10,000 parts', () =>
    multipart(part('name="x"').repeat(10_000) + part('name="file"; filename="a.txt"') + end),
  );
  for (const name of ['__proto__', 'constructor', 'toString', 'length', 'owner_id', 'company_id']) {
    await refused([400, 422], name, () =>
      multipart(part(`name="${name}"`) + part('name="file"; filename="a.txt"') + end),
    );
  }
  for (const metadata of [
    'not json',
    '[]',
    '"x"',
    'null',
    `{"a":${'['.repeat(200)}${']'.repeat(200)}}`,
    `{"a":"${'x'.repeat(100_000)}"}`,
    '{"owner_id":"user_1"}',
    '{"a":1,"a":2}',
    '{"__proto__":1}',
  ]) {
    await refused([400, 413, 422], metadata.slice(0, 30), () => post(fileForm(fresh(), 'x', { metadata })));
  }
  await refused([404, 422], 'basket of another company', () =>
    post(fileForm(fresh(), 'x', { basket_id: 'bskt_00000000000000000000000000' })),
  );
  await refused(422, 'on_conflict', () => post(fileForm(fresh(), 'x', { on_conflict: 'overwrite' })));
});

test('116: a body cut at many offsets', async () => {
  const whole =
    `${part('name="metadata"', '{"a":"b"}')}${part('name="file"; filename="cut.txt"', 'content of the file')}${end}`.replaceAll(
      '\n',
      '\r\n',
    );
  const before = await atRest(world);
  for (let cut = 0; cut < whole.length - 4; cut += 5) {
    judge(
      await post(whole.slice(0, cut), `multipart/form-data; boundary=${boundary}`),
      [400, 415, 422],
      `cut at ${cut}`,
    );
  }
  expect(world()).toEqual(before);
});

test('136, 121: sizes around the limit', async () => {
  for (const size of [0, 1, limit]) judge(await post(fileForm(fresh(), randomBytes(size))), [201], `size ${size}`);
  await refused(413, 'limit + 1', () => post(fileForm(fresh(), randomBytes(limit + 1))));
  await refused(413, 'ten times', () => post(fileForm(fresh(), randomBytes(limit * 10))));
});

test('125–133: names', async () => {
  const literal = [
    'a"b.txt',
    'a;b.txt',
    'a%b.txt',
    "a'b.txt",
    'ünï cödé.txt',
    '日本語.txt',
    '😀.txt',
    `${'n'.repeat(251)}.txt`,
    'x'.repeat(255),
    '=cmd.csv',
    '.hidden',
    'no-ending',
  ];
  for (const name of literal) {
    const answer = await multipart(
      part(`name="file"; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", '%27')}`) + end,
    );
    judge(answer, [201, 422], name);
    if (answer.status === 201) expect(answer.body.filename).toBe(name.normalize('NFC'));
  }
  for (const name of ['..', '.', 'x'.repeat(256), '😀'.repeat(256), 'a\u202eb.txt', '   ', '\u200b']) {
    await refused(422, JSON.stringify(name.slice(0, 20)), () =>
      multipart(part(`name="file"; filename*=UTF-8''${encodeURIComponent(name)}`) + end),
    );
  }
  await refused([400, 422], 'NUL', () => multipart(part(`name="file"; filename*=UTF-8''a%00b.txt`) + end));
  for (const name of ['../../etc/passwd', 'C:\\dir\\y.pdf', '..%2F..%2Fevil.sh']) {
    const answer = await multipart(part(`name="file"; filename="${name}"`) + end);
    judge(answer, [201, 422], name);
    if (answer.status === 201) expect(answer.body.filename).not.toMatch(/[/\\]|^\.\.$/);
  }
  await refused([413, 422, 431], 'name of 100 KB', () =>
    multipart(part(`name="file"; filename="${'n'.repeat(100_000)}"`) + end),
  );
});

test('134, 148: the same name, and the same bytes', async () => {
  const name = fresh();
  const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => post(fileForm(name, `content ${index}`))));
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array(11).fill(409)]);
  const employee = await invitePerson(server.url, own.admin, 'employee', 'same-bytes');
  const bytes = randomBytes(2_000);
  const first = await post(fileForm('new-bytes.bin', bytes));
  const second = await post(fileForm('new-bytes.bin', bytes), undefined, employee.token);
  const shape = (answer: Answer) => [answer.status, Object.keys(answer.body), [...answer.headers.keys()]];
  expect(shape(second)).toEqual(shape(first));
  const elsewhere = await post(fileForm('new-bytes.bin', bytes), undefined, other.admin.token);
  expect(shape(elsewhere)).toEqual(shape(first));
});

test('139, 137: programs and pages are stored and served inert', async () => {
  for (const [name, bytes] of [
    ['page.html', '<script>alert(1)</script>'],
    ['image.svg', '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'],
    ['run.exe', 'MZ'],
  ] as const) {
    const made = await uploadFile(server.url, own.admin.token, name, bytes);
    const answer = await call(server.url, 'GET', `/api/documents/${made.id}/download`, { token: own.admin.token });
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment;/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    expect(answer.text).toBe(bytes);
  }
});

/** Declares a length, sends some of it, and then stays silent or leaves. Resolves when the connection is closed. */
function breakOff(length: number, sent: number, leave: boolean): Promise<void> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `POST /api/documents/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${own.admin.token}\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\nContent-Length: ${length}\r\n\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="gone.bin"\r\n\r\n${'z'.repeat(sent)}`,
      );
      setTimeout(() => (leave ? socket.resetAndDestroy() : socket.end()), 20);
    });
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.resume();
  });
}

test('122: 1,000 clients that hang up leave a server, and nothing else', async () => {
  const before = await atRest(world);
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => breakOff(100_000, 10 + index * 400, index % 2 === 0)));
  }
  await expect.poll(() => world(), { timeout: 20_000 }).toEqual(before);
  judge(await post(fileForm(fresh(), 'still here')), 201, 'afterwards');
}, 120_000);

test('64 parallel uploads of equal bytes are 64 documents and one object', async () => {
  const company = await newCompany(server.url, operator, 'Equal Works');
  const bytes = randomBytes(50_000);
  await Promise.all(
    Array.from({ length: 64 }, (_, index) => uploadFile(server.url, company.admin.token, `equal-${index}.bin`, bytes)),
  );
  const lines = companyWorld(folder, company.id, company.bucket);
  await expect
    .poll(() => companyWorld(folder, company.id, company.bucket).filter((line) => line.startsWith('object')).length, {
      timeout: 10_000,
    })
    .toBe(1);
  expect(lines.filter((line) => line.startsWith('documents '))).toHaveLength(64);
  const stats = await expectCall(200, server.url, 'GET', `/api/companies/${company.id}/stats`, { token: operator });
  expect(stats).toMatchObject({ documents: 64, files: 1 });
});

test('154: a quota is exact under 40 parallel uploads', async () => {
  const company = await newCompany(server.url, operator, 'Quota Works', { quota_bytes: 100_000 });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      call(server.url, 'POST', '/api/documents/upload', {
        token: company.admin.token,
        raw: fileForm(`q-${index}.bin`, randomBytes(9_000)),
      }),
    ),
  );
  for (const answer of answers) judge(answer, [201, 413], 'quota');
  expect(answers.filter((answer) => answer.status === 201)).toHaveLength(11);
  const gone = answers.find((answer) => answer.status === 201)!.body.id;
  await expectCall(204, server.url, 'DELETE', `/api/documents/${gone}?purge=true`, { token: company.admin.token });
  await uploadFile(server.url, company.admin.token, 'again.bin', randomBytes(9_000));
});

test('155: tus that is none', async () => {
  const tus = { 'tus-resumable': '1.0.0' };
  const token = own.admin.token;
  const create = (headers: Record<string, string>, as = token) =>
    call(server.url, 'POST', '/api/uploads', { token: as, headers: { ...tus, ...headers } });
  const named = () => `filename ${btoa(fresh())}`;
  await refused([412], 'version', () =>
    call(server.url, 'POST', '/api/uploads', { token, headers: { 'tus-resumable': '0.2.2', 'upload-length': '5' } }),
  );
  for (const length of ['-1', 'abc', '1.5', '', '1e3', '99999999999999999999'])
    await refused([400, 413, 422], `length ${length}`, () =>
      create({ 'upload-length': length, 'upload-metadata': named() }),
    );
  await refused(413, 'too long', () => create({ 'upload-length': String(limit + 1), 'upload-metadata': named() }));
  for (const metadata of [
    '',
    'filename',
    'filename !!!',
    `filename ${btoa('..')}`,
    `filename ${btoa('a')},filename ${btoa('b')}`,
  ])
    await refused([400, 422], `metadata ${metadata}`, () =>
      create({ 'upload-length': '5', 'upload-metadata': metadata }),
    );
  const made = await create({ 'upload-length': '10', 'upload-metadata': named() });
  expect(made.status).toBe(201);
  const path = new URL(made.headers.get('location')!, server.url).pathname;
  const patch = (offset: string, raw = 'abc', headers: Record<string, string> = {}, as = token, at = path) =>
    call(server.url, 'PATCH', at, {
      token: as,
      raw,
      headers: { ...tus, 'upload-offset': offset, 'content-type': 'application/offset+octet-stream', ...headers },
    });
  for (const offset of ['1', '11', '99999']) judge(await patch(offset), 409, `offset ${offset}`);
  for (const offset of ['-1', 'abc', '', '1.5']) judge(await patch(offset), [400, 409, 422], `offset ${offset}`);
  judge(await patch('0', 'abc', { 'content-type': 'text/plain' }), 415, 'type');
  judge(await patch('0', 'more than ten bytes'), [400, 413, 422], 'beyond the length');
  judge(await patch('0', 'abc', {}, other.admin.token), 404, 'another company');
  const employee = await invitePerson(server.url, own.admin, 'employee', 'tus-person');
  judge(await patch('0', 'abc', {}, employee.token), 404, 'another user');
  for (const id of ['../x', '%2e%2e%2fx', 'upl_x', 'x'.repeat(300)])
    judge(await patch('0', 'abc', {}, token, `/api/uploads/${id}`), [400, 404], id.slice(0, 20));
  const head = await call(server.url, 'HEAD', path, { token, headers: tus });
  const offset = head.headers.get('upload-offset')!;
  const last = await patch(offset, '0123456789'.slice(Number(offset)));
  expect(last.status).toBe(204);
  expect(last.headers.get('strongroom-document')).toMatch(/^doc_/);
  const repeated = await call(server.url, 'HEAD', path, { token, headers: tus });
  expect(repeated.headers.get('strongroom-document')).toBe(last.headers.get('strongroom-document'));
  judge(await patch('10', ''), [204, 400, 404, 409, 410], 'finish twice');
});
