import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { notFound } from '../../kernel/errors.ts';
import { download, fieldPart, filePart, listed, openWorld, outcome, request, sha256, upload } from './test-support.ts';

describe('an upload', () => {
  it('becomes a document with what was sent', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const metadata = JSON.stringify({ project: 'north', year: 2024, nested: { deep: [1, 2] } });
    const { document, versionId } = await upload(world, person, 'note.txt', 'hello', { metadata }, 'text/plain');
    expect(document).toMatchObject({
      filename: 'note.txt',
      mime_type: 'text/plain',
      size_bytes: 5,
      sha256: sha256('hello'),
      version: 1,
      basket_id: null,
      owner: { id: person.id, full_name: 'employee person' },
      metadata: { project: 'north', year: 2024, nested: { deep: [1, 2] } },
      tags: [],
    });
    const got = await download(world, person, document.id);
    expect(got.text).toBe('hello');
    expect(got.headers).toMatchObject({ etag: `"${versionId}"`, 'content-length': '5' });
    expect(await world.documents.stats(company.tenant)).toMatchObject({ documents: 1, files: 1, bytes: 5 });
  });

  it('of equal bytes, 64 at once by two people, gives 64 documents and one object', async () => {
    const world = await openWorld();
    const company = await world.company();
    const people = [await company.person('employee'), await company.person('hr_manager')];
    const kept = await Promise.all(
      Array.from({ length: 64 }, (_, index) => upload(world, people[index % 2]!, `copy-${index}.bin`, 'same bytes')),
    );
    expect(new Set(kept.map(({ document }) => document.id)).size).toBe(64);
    expect(company.objects()).toHaveLength(1);
    expect(company.temporaries()).toEqual([]);
    const rows = await company.tenant.db.read.selectFrom('files').selectAll().execute();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ refs: 64, key: company.objects()[0], unreferenced_since: null });
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 640, reserved: 0 });
  });

  it('leaves nothing when it breaks off, a later part is wrong, or a rule is broken', async () => {
    const world = await openWorld({ maxUploadBytes: 1_000 });
    const company = await world.company({ quotaBytes: 2_000 });
    const person = await company.person('employee');
    const broken = () =>
      Readable.from(
        (async function* () {
          yield Buffer.from('first');
          throw new Error('the client is gone');
        })(),
      );
    const { uploads } = world.documents;
    const cases: [string, () => Promise<unknown>][] = [
      ['malformed_upload', () => upload(world, person, 'a.txt', broken())],
      ['invalid', () => upload(world, person, 'a.txt', 'x', { owner_id: 'user_x' })],
      ['invalid', () => upload(world, person, 'a.txt', 'x', { __proto__x: '1' })],
      ['invalid', () => upload(world, person, 'a.txt', 'x', { on_conflict: 'replace' })],
      ['invalid', () => upload(world, person, 'a.txt', 'x', { metadata: '[]' })],
      ['invalid', () => upload(world, person, 'a.txt', 'x', { metadata: '{"a":1,"a":2}' })],
      ['invalid', () => upload(world, person, 'a.txt', 'x', { metadata: '{"owner_id":"user_x"}' })],
      ['invalid', () => upload(world, person, 'a.txt', 'x', { metadata: '{"__proto__":{"a":1}}' })],
      [
        'invalid',
        () => upload(world, person, 'a.txt', 'x', { metadata: `{"a":${'['.repeat(9_000)}${']'.repeat(9_000)}}` }),
      ],
      ['invalid', () => upload(world, person, 'a.txt', 'x', { metadata: JSON.stringify({ a: 'x'.repeat(20_000) }) })],
      ['not_found', () => upload(world, person, 'a.txt', 'x', { basket_id: 'bskt_x' })],
      ['not_found', () => upload(world, person, 'a.txt', 'x', { basket_id: '../../x' })],
      ['file_too_large', () => upload(world, person, 'a.txt', 'x'.repeat(1_001))],
      ['invalid', () => uploads.upload(person, request({ parts: [filePart('a.txt', 'x'), filePart('b.txt', 'y')] }))],
      ['invalid', () => uploads.upload(person, request({ parts: [fieldPart('file', 'text')] }))],
      ['invalid', () => uploads.upload(person, request({ parts: [] }))],
    ];
    for (const [code, work] of cases) expect(await outcome(work())).toBe(code);
    const cut = request({ parts: [filePart('a.txt', 'x')] });
    const parts = async function* () {
      yield* cut.parts();
      throw notFound('the body is cut behind the file');
    };
    expect(await outcome(uploads.upload(person, { ...cut, parts }))).toBe('not_found');
    expect(company.objects()).toEqual([]);
    expect(company.temporaries()).toEqual([]);
    expect(await listed(world, person)).toEqual([]);
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 0, reserved: 0 });
    expect(await outcome(upload(world, person, 'limit.txt', 'x'.repeat(1_000)))).toBe('ok');
    expect(await outcome(upload(world, person, 'empty.txt', ''))).toBe('ok');
  });

  it('never exceeds the quota, however many come at once', async () => {
    const world = await openWorld();
    const company = await world.company({ quotaBytes: 1_000 });
    const person = await company.person('employee');
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        outcome(upload(world, person, `${index}.bin`, `${index}`.padStart(70, 'x'))),
      ),
    );
    expect(outcomes.filter((one) => one === 'ok')).toHaveLength(14);
    expect(outcomes.filter((one) => one === 'quota_exceeded')).toHaveLength(50);
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 980 });
    expect(company.objects()).toHaveLength(14);
    expect(await outcome(upload(world, person, 'exact.bin', 'y'.repeat(20)))).toBe('ok');
    expect(await outcome(upload(world, person, 'one-more.bin', 'z'))).toBe('quota_exceeded');
  });

  it('is refused before its bytes move where it announces more than there is room for', async () => {
    const world = await openWorld();
    const company = await world.company({ quotaBytes: 1_000 });
    const person = await company.person('employee');
    let read = 0;
    const stream = new Readable({
      read() {
        read += 1;
        this.push(Buffer.alloc(100_000));
      },
    });
    const body = request({ parts: [filePart('big.bin', stream)], headers: { 'content-length': '50000000' } });
    expect(await outcome(world.documents.uploads.upload(person, body))).toBe('quota_exceeded');
    expect(read).toBeLessThan(3);
    stream.destroy();
  });

  it('follows the rule for a name that is taken', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const other = await company.person('employee');
    const first = await upload(world, person, 'r\u00e9sum\u00e9.txt', 'one');
    const again = upload(world, person, 're\u0301sume\u0301.txt', 'two');
    await expect(again).rejects.toMatchObject({ code: 'filename_taken', extra: { document_id: first.document.id } });
    const version = await upload(world, person, 'r\u00e9sum\u00e9.txt', 'two', { on_conflict: 'version' });
    expect(version.document).toMatchObject({ id: first.document.id, version: 2, size_bytes: 3 });
    const renamed = await upload(world, person, 'r\u00e9sum\u00e9.txt', 'two', { on_conflict: 'rename' });
    expect(renamed.document.filename).toBe('r\u00e9sum\u00e9 (2).txt');
    const long = `${'n'.repeat(251)}.txt`;
    await upload(world, person, long, 'one');
    const cut = await upload(world, person, long, 'two', { on_conflict: 'rename' });
    expect(cut.document.filename).toBe(`${'n'.repeat(247)} (2).txt`);
    expect((await upload(world, other, 'r\u00e9sum\u00e9.txt', 'mine')).document.version).toBe(1);
    const many = await Promise.all(
      Array.from({ length: 20 }, (_, n) => upload(world, person, 'many.txt', `${n}`, { on_conflict: 'rename' })),
    );
    expect(new Set(many.map(({ document }) => document.filename)).size).toBe(20);
    const versions = await Promise.all(
      Array.from({ length: 20 }, (_, n) => upload(world, person, 'many.txt', `${n}`, { on_conflict: 'version' })),
    );
    expect(new Set(versions.map(({ document }) => document.version)).size).toBe(20);
    const errors = await Promise.all(Array.from({ length: 8 }, () => outcome(upload(world, person, 'one.txt', 'x'))));
    expect(errors.filter((one) => one === 'ok')).toHaveLength(1);
    expect(errors.filter((one) => one === 'filename_taken')).toHaveLength(7);
    expect(await world.documents.module.examine!(company.tenant, { repair: false, deep: true })).toEqual([]);
  });

  it('takes names as they are, or refuses them', async () => {
    const world = await openWorld();
    const person = await (await world.company()).person('employee');
    const refused = [
      '..',
      '.',
      '',
      ' ',
      '\u200b',
      'a/b',
      'a\\b',
      '../../etc/passwd',
      'C:\\x',
      'a\u0000b',
      '\ud800',
      'a\u202etxt.exe',
    ];
    for (const name of [...refused, 'x'.repeat(256), '\u{1f600}'.repeat(256)]) {
      expect(await outcome(upload(world, person, name, 'x')), JSON.stringify(name)).toBe('filename_invalid');
    }
    const taken = [
      'x'.repeat(255),
      '\u{1f600}'.repeat(255),
      'a"b;c%20.txt',
      'tab\tline\r\n.txt',
      '\u{1f468}\u200d\u{1f469}.png',
      '.env',
      '=cmd|x',
      '__proto__',
    ];
    for (const name of taken) expect((await upload(world, person, name, 'x')).document.filename).toBe(name);
  });

  it('is stored under the type that its bytes show', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('hr_admin');
    const cases: [string, string, string, string][] = [
      ['a.png', '<html><script>1</script>', 'image/png', 'text/html'],
      ['b.pdf', '<svg onload=x>', 'application/pdf', 'image/svg+xml'],
      ['c.txt', '%PDF-1.7 x', 'text/plain', 'application/pdf'],
      ['d.xyz', 'plain', 'application/x-what; charset=utf-8', 'application/x-what'],
      ['e.xyz', 'plain', 'not a type\r\nx: y', 'text/plain'],
      [
        'f.docx',
        'PK\x03\x04rest',
        'application/octet-stream',
        'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      ],
      ['g.png', 'no picture', 'image/png', 'text/plain'],
    ];
    for (const [name, content, declared, type] of cases) {
      const { document } = await upload(world, person, name, Buffer.from(content, 'latin1'), {}, declared);
      expect(document.mime_type, name).toBe(type);
    }
    await world.documents.settings.set(person, { denied_types: ['.exe', 'application/pdf', 'video/*'] });
    expect(await outcome(upload(world, person, 'virus.EXE', 'x'))).toBe('type_denied');
    expect(await outcome(upload(world, person, 'renamed.txt', '%PDF-1.7'))).toBe('type_denied');
    expect(await outcome(upload(world, person, 'fine.txt', 'text'))).toBe('ok');
  });
});
