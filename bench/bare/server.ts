/**
 * The bare thing: what the same work costs with Fastify and node:sqlite alone. No sign-in, no rights, no tenants, no
 * history, no audit; as durable as the product (synchronous=FULL, fsync of file and folder).
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import fastify from 'fastify';
import { itemOf } from './item.ts';

const folder = process.argv[2]!;
const objects = join(folder, 'objects');
mkdirSync(objects, { recursive: true });
const db = new DatabaseSync(join(folder, 'bare.db'));
db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
  CREATE TABLE IF NOT EXISTS documents (id text primary key, filename text, mime_type text, size_bytes integer,
    sha256 text, version integer, basket_id text, owner_id text, owner_name text, metadata text, created_at text,
    updated_at text);
  CREATE INDEX IF NOT EXISTS by_created ON documents (created_at, id)`);
const count = db.prepare('select count(*) as n from documents').get() as { n: number };
const insert = db.prepare('insert into documents values (?,?,?,?,?,?,?,?,?,?,?,?)');
const now = () => new Date().toISOString();
if (count.n === 0) {
  db.exec('begin');
  for (let index = 0; index < 500; index += 1) {
    const at = new Date(Date.now() - index * 1_000).toISOString();
    insert.run(
      `doc_${randomUUID()}`,
      `file-${index}.txt`,
      'text/plain',
      64,
      createHash('sha256').update(String(index)).digest('hex'),
      1,
      null,
      'user_1',
      'A user',
      '{}',
      at,
      at,
    );
  }
  db.exec('commit');
}
const page = db.prepare('select * from documents order by created_at desc, id desc limit 50');
const cold = join(folder, 'bare.db');

/** Streams a body into a durable object and returns what is known of it. */
async function keep(body: Readable): Promise<{ key: string; size: number; sha256: string }> {
  const key = randomUUID();
  const temporary = join(objects, `${key}.tmp`);
  const file = await open(temporary, 'wx');
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
    await file.write(chunk);
  }
  await file.sync();
  await file.close();
  await rename(temporary, join(objects, key));
  const directory = await open(objects, 'r');
  await directory.sync();
  await directory.close();
  return { key, size, sha256: hash.digest('hex') };
}

const app = fastify({ bodyLimit: 8 * 1024 ** 3 });
await app.register(multipart, { limits: { fileSize: 8 * 1024 ** 3 } });
app.addContentTypeParser('application/octet-stream', (_request, _body, done) => done(null));

app.get('/list', async () => {
  const rows = page.all() as Record<string, unknown>[];
  return { items: rows.map(itemOf), next_cursor: null };
});

/** Opens the file anew and asks one query: what a cold tenant costs at least. */
app.get('/cold', async () => {
  const one = new DatabaseSync(cold);
  const rows = one.prepare('select * from documents order by created_at desc, id desc limit 50').all();
  one.close();
  return { items: rows };
});

app.post('/upload', async (request, reply) => {
  const part = await request.file();
  const kept = await keep(part!.file);
  insert.run(
    `doc_${randomUUID()}`,
    part!.filename,
    part!.mimetype,
    kept.size,
    kept.sha256,
    1,
    null,
    'user_1',
    'A user',
    '{}',
    now(),
    now(),
  );
  return reply.code(201).send(kept);
});

app.put('/raw', async (request, reply) => {
  const kept = await keep(request.raw);
  insert.run(
    `doc_${randomUUID()}`,
    'raw',
    'application/octet-stream',
    kept.size,
    kept.sha256,
    1,
    null,
    'user_1',
    'A user',
    '{}',
    now(),
    now(),
  );
  return reply.code(201).send(kept);
});

const address = await app.listen({ host: '127.0.0.1', port: 0 });
console.log(address);
process.on('SIGTERM', () => void app.close().then(() => process.exit(0)));
