import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRows } from './users-import.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-rows-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function rowsOf(text: string) {
  const file = join(folder, 'people');
  await writeFile(file, text);
  return readRows(file);
}

describe('readRows', () => {
  it('reads CSV with a mark, quotes, other line ends and empty fields', async () => {
    const rows = await rowsOf(
      '\ufeffEmail,Full_Name,role,username\r\na@example.com,"Person, A",employee,\r\n\r\nb@example.com,B,customer,b-2\r\n',
    );
    expect(rows).toEqual([
      { email: 'a@example.com', full_name: 'Person, A', role: 'employee' },
      { email: 'b@example.com', full_name: 'B', role: 'customer', username: 'b-2' },
    ]);
  });

  it('keeps rows that are too short, so that they get a result of their own', async () => {
    expect(await rowsOf('email,full_name,role\na@example.com\nb@example.com,B,employee\n')).toEqual([
      { email: 'a@example.com' },
      { email: 'b@example.com', full_name: 'B', role: 'employee' },
    ]);
  });

  it('reads JSON, and keeps what is no object as a row', async () => {
    expect(await rowsOf('[{"email":"a@example.com","username":null}, 7]')).toEqual([
      { email: 'a@example.com' },
      { row: '7' },
    ]);
  });

  it.each([
    ['a missing column', 'email,role\na@example.com,employee\n', /full_name is missing/],
    ['an unknown column', 'email,full_name,role,password\na,b,c,d\n', /no column "password"/],
    ['an open quotation mark', 'email,full_name,role\n"a,b,c\n', /not valid CSV/],
    ['broken JSON', '[{]', /not valid JSON/],
    ['nothing', 'email,full_name,role\n', /no rows/],
  ])('refuses %s', async (_, text, message) => {
    await expect(rowsOf(text)).rejects.toThrow(message);
  });

  it('says that a file is not there', async () => {
    await expect(readRows(join(folder, 'nowhere.csv'))).rejects.toMatchObject({ exitCode: 5 });
  });
});
