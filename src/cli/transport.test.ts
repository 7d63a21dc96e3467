import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { socketBase, socketFetch } from './transport.ts';

let folder: string;
let elsewhere: string;
let server: Server;
let fetch: ReturnType<typeof socketFetch>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-transport-'));
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    if (request.url === '/early') {
      response.writeHead(413, { 'content-type': 'application/problem+json', connection: 'close' });
      response.end('{"code":"body_too_large"}');
      return;
    }
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/elsewhere') {
        response.writeHead(302, { location: elsewhere });
        response.end();
        return;
      }
      if (request.method === 'DELETE') {
        response.writeHead(204);
        response.end();
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          method: request.method,
          url: request.url,
          headers: request.headers,
          body: Buffer.concat(chunks).toString('latin1'),
        }),
      );
    });
  });
  const path = join(folder, 's.sock');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  fetch = socketFetch(path);
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

describe('socketFetch', () => {
  it('sends path, query, headers and a text body with its length', async () => {
    const answer = await fetch(`${socketBase}/a%20b?c=d`, { method: 'POST', body: '{"ä":1}', headers: { 'x-a': 'b' } });
    const seen = await answer.json();
    expect(seen).toMatchObject({ method: 'POST', url: '/a%20b?c=d' });
    expect(seen.headers['x-a']).toBe('b');
    expect(seen.headers['content-length']).toBe('8');
    expect(Buffer.from(seen.body, 'latin1').toString()).toBe('{"ä":1}');
  });

  it('goes on to the address that it is sent to, with its range and without its sign-in', async () => {
    const storage = createServer((request, response) => {
      response.end(JSON.stringify(request.headers));
    });
    await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
    elsewhere = `http://127.0.0.1:${(storage.address() as AddressInfo).port}/object`;
    const headers = { authorization: 'Bearer of-the-server', range: 'bytes=1-2' };
    const seen = await (await fetch(`${socketBase}/elsewhere`, { headers })).json();
    expect(seen).toMatchObject({ range: 'bytes=1-2' });
    expect(seen).not.toHaveProperty('authorization');
    const stays = await fetch(`${socketBase}/elsewhere`, { redirect: 'manual' });
    expect([stays.status, stays.headers.get('location')]).toEqual([302, elsewhere]);
    storage.closeAllConnections();
    await new Promise((resolve) => storage.close(resolve));
  });

  it('streams a form with a file', async () => {
    const form = new FormData();
    form.set('basket_id', 'bskt_1');
    form.set('file', new Blob(['x'.repeat(300_000)]), 'a.txt');
    const seen = await (await fetch(`${socketBase}/upload`, { method: 'POST', body: form })).json();
    expect(seen.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(seen.body).toContain('name="file"; filename="a.txt"');
    expect(seen.body.length).toBeGreaterThan(300_000);
  });

  it('answers without a body where the status has none', async () => {
    const answer = await fetch(`${socketBase}/x`, { method: 'DELETE' });
    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe('');
  });

  it('gives the answer of a server that refuses before it has read the body', async () => {
    const body = new Blob(['y'.repeat(5_000_000)]);
    const answer = await fetch(`${socketBase}/early`, { method: 'POST', body });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toEqual({ code: 'body_too_large' });
  });

  it('fails where nobody listens', async () => {
    await expect(socketFetch(join(folder, 'none.sock'))(`${socketBase}/x`)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
