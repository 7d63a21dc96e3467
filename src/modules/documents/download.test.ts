import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentDisposition, isUnchanged, requestedRange, requireMatch } from './content-headers.ts';
import { type Company, download, filePart, openWorld, outcome, request, upload, type World } from './test-support.ts';

/** Path of the only object of a company. */
function onlyObject(world: World, company: Company): string {
  const bucket = join(world.dataDir, 'buckets', company.tenant.files.bucket);
  const [key] = company.objects();
  return join(bucket, readdirSync(bucket).find((name) => key!.startsWith(name))!, key!);
}

describe('a download', () => {
  it('gives any slice that a range names, and nothing else', async () => {
    const world = await openWorld();
    const person = await (await world.company()).person('employee');
    const bytes = Array.from({ length: 300 }, (_, index) => String.fromCharCode(33 + (index % 90))).join('');
    const { document } = await upload(world, person, 'range.txt', bytes);
    const number = fc.oneof(fc.constant(''), fc.nat(400).map(String));
    await fc.assert(
      fc.asyncProperty(number, number, async (from, to) => {
        const read = () => download(world, person, document.id, { range: `bytes=${from}-${to}` });
        const unreadable = (from === '' && to === '') || (from !== '' && to !== '' && Number(to) < Number(from));
        const start = from === '' ? Math.max(0, 300 - Number(to)) : Number(from);
        if (!unreadable && (start >= 300 || (from === '' && Number(to) === 0))) {
          expect(await outcome(read())).toBe('range_not_satisfiable');
          return;
        }
        const { status, text, headers } = await read();
        const end = from === '' || to === '' ? 299 : Math.min(299, Number(to));
        expect(status).toBe(unreadable ? 200 : 206);
        expect(text).toBe(unreadable ? bytes : bytes.slice(start, end + 1));
        expect(headers['content-length']).toBe(String(text.length));
        if (!unreadable) expect(headers['content-range']).toBe(`bytes ${start}-${end}/300`);
      }),
      { numRuns: 60 },
    );
  });

  it('honours conditions by the id of the version', async () => {
    const world = await openWorld();
    const person = await (await world.company()).person('employee');
    const { document, versionId } = await upload(world, person, 'a.txt', 'hello');
    const etag = `"${versionId}"`;
    const get = (headers: Record<string, string>) => download(world, person, document.id, headers);
    expect((await get({ 'if-none-match': etag })).status).toBe(304);
    expect((await get({ 'if-none-match': `"other", W/${etag}` })).status).toBe(304);
    expect((await get({ 'if-none-match': '"other"' })).status).toBe(200);
    expect((await get({ 'if-none-match': 'not a tag' })).status).toBe(200);
    expect((await get({ 'if-match': etag })).status).toBe(200);
    for (const tag of ['"other"', `W/${etag}`, 'not a tag', '"a",'.repeat(3_000)]) {
      expect(await outcome(get({ 'if-match': tag }))).toBe('etag_mismatch');
    }
    expect((await get({ range: 'bytes=1-2', 'if-range': etag })).text).toBe('el');
    for (const tag of [`W/${etag}`, '"other"', 'Sat, 01 Jan 2000 00:00:00 GMT', 'rubbish']) {
      expect((await get({ range: 'bytes=1-2', 'if-range': tag })).text).toBe('hello');
    }
    for (const range of ['bytes=0-1,3-4', 'items=0-1', 'bytes=x', 'bytes=', `bytes=${'9'.repeat(400)}-`]) {
      expect((await get({ range })).text).toBe('hello');
    }
    const { documents, uploads } = world.documents;
    expect(await outcome(documents.update(person, document.id, { filename: 'b.txt' }, '"other"'))).toBe(
      'etag_mismatch',
    );
    expect(await outcome(documents.trash(person, document.id, '"other"'))).toBe('etag_mismatch');
    const body = request({ parts: [filePart('v', 'second')], headers: { 'if-match': '"other"' } });
    expect(await outcome(uploads.uploadVersion(person, document.id, body))).toBe('etag_mismatch');
  });

  it('of a name that any header would break on is safe', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (name) => {
        const value = contentDisposition(name);
        expect(value).toMatch(
          /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]*$/,
        );
        // From the last pair of quotes: a name may hold a pair itself, and its plain form stands before.
        expect(decodeURIComponent(value.slice(value.lastIndexOf("''") + 2))).toBe(name.toWellFormed());
      }),
      { examples: [["''"], ["UTF-8''%41"], ['\u{d800}']] },
    );
    expect(contentDisposition('a"; x=y\r\n.txt')).toBe(
      `attachment; filename="a_; x=y__.txt"; filename*=UTF-8''a%22%3B%20x%3Dy%0D%0A.txt`,
    );
  });

  it('is served inert, whatever it is', async () => {
    const world = await openWorld();
    const person = await (await world.company()).person('employee');
    const { document } = await upload(world, person, 'page.html', '<script>alert(1)</script>', {}, 'text/html');
    const { headers } = await download(world, person, document.id);
    expect(headers).toMatchObject({
      'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
    });
    const head = await world.documents.downloads.head(person, document.id, undefined, () => undefined);
    expect(head).toEqual({ status: 200, headers });
  });

  it('of damaged bytes never ends cleanly, and is written down', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const { document } = await upload(world, person, 'a.txt', 'x'.repeat(700_000));
    const path = onlyObject(world, company);
    writeFileSync(path, `${'x'.repeat(699_999)}y`);
    expect(await outcome(download(world, person, document.id))).toContain('digest');
    writeFileSync(path, 'short');
    expect(await outcome(download(world, person, document.id))).toBe('object_damaged');
    const { items } = await world.kernel.audit.list(company.tenant, { limit: 20 });
    const corrupt = items.filter((row) => row.action === 'document.corrupt');
    expect(corrupt.map((row) => [row.target, row.details.what])).toEqual([
      [document.id, 'size'],
      [document.id, 'digest'],
    ]);
    const findings = await world.documents.module.examine!(company.tenant, { repair: true, deep: true });
    expect(findings).toMatchObject([{ repaired: false, problem: expect.stringContaining('has 5 bytes') }]);
  });

  it('is in the audit trail once, however many ranges it comes in', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const { document } = await upload(world, person, 'a.txt', 'hello');
    await download(world, person, document.id, { range: 'bytes=0-1' });
    await download(world, person, document.id, { range: 'bytes=2-4' });
    const { items } = await world.kernel.audit.list(company.tenant, { limit: 20 });
    expect(items.filter((row) => row.action === 'document.downloaded')).toMatchObject([
      {
        actor: `user:${person.id}`,
        target: document.id,
        ip: '192.0.2.1',
        requestId: 'request-1',
        details: { version: 1 },
      },
    ]);
  });

  it('of an earlier version gives that version', async () => {
    const world = await openWorld();
    const person = await (await world.company()).person('employee');
    const { document } = await upload(world, person, 'a.txt', 'one');
    const { documents, uploads } = world.documents;
    await uploads.uploadVersion(person, document.id, request({ parts: [filePart('v', 'two!')] }));
    const third = await documents.restoreVersion(person, document.id, '1');
    expect(third.document).toMatchObject({ version: 3, size_bytes: 3 });
    const texts = await Promise.all(['1', '2', '3'].map((n) => download(world, person, document.id, {}, n)));
    expect(texts.map(({ text }) => text)).toEqual(['one', 'two!', 'one']);
    for (const n of ['0', '4', '-1', '1.5', 'x', '999999999999', "1' or 1=1"]) {
      expect(await outcome(download(world, person, document.id, {}, n))).toBe('not_found');
      expect(await outcome(documents.restoreVersion(person, document.id, n))).toBe('not_found');
    }
    const { items } = await documents.listVersions(person, document.id, {});
    expect(items.map(({ version, restored_from, current }) => [version, restored_from, current])).toEqual([
      [3, 1, true],
      [2, null, false],
      [1, null, false],
    ]);
  });
});

describe('headers from a client', () => {
  it('never throw anything but a refusal', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^bytes=[0-9,\- ]{0,20}$/),
      fc.stringMatching(/^[W/"a-z*, ]{0,20}$/),
    );
    fc.assert(
      fc.property(text, text, fc.nat(1_000), (one, two, size) => {
        isUnchanged(one, 'ver_1');
        for (const run of [() => requireMatch(one, 'ver_1'), () => requestedRange(one, two, size, 'ver_1')]) {
          try {
            run();
          } catch (error) {
            expect(error).toMatchObject({ name: 'StrongroomError' });
          }
        }
      }),
    );
  });
});
