/**
 * `fetch` over a Unix socket: the same requests and answers, streams included, through node:http. The address of a
 * request gives path and query alone; which server answers is decided by the socket.
 */
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';

export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Stands in addresses where a socket answers. */
export const socketBase = 'http://strongroom.invalid';

const bodyless = new Set([101, 204, 205, 304]);

export function socketFetch(socketPath: string): FetchLike {
  return async (input, init) => {
    // Request turns forms, files and text into a stream with the headers that belong to it.
    const asked = new Request(input, init === undefined ? undefined : ({ ...init, duplex: 'half' } as RequestInit));
    const url = new URL(asked.url);
    const headers: Record<string, string> = Object.fromEntries(asked.headers);
    // In one write: a server may answer and close before a second one arrives.
    const whole = typeof init?.body === 'string' ? Buffer.from(init.body) : undefined;
    if (whole !== undefined) headers['content-length'] = String(whole.length);
    return new Promise<Response>((resolve, reject) => {
      // A connection of its own: one that is kept could have been closed by the other side meanwhile.
      const out = httpRequest(
        {
          agent: false,
          socketPath,
          path: `${url.pathname}${url.search}`,
          method: asked.method,
          headers,
          signal: asked.signal,
        },
        (answer) => {
          const status = answer.statusCode ?? 500;
          const received = new Headers();
          for (let index = 0; index < answer.rawHeaders.length; index += 2) {
            received.append(answer.rawHeaders[index]!, answer.rawHeaders[index + 1]!);
          }
          const location = received.get('location');
          if (status === 302 && location !== null && asked.redirect === 'follow') {
            // The storage serves it by itself. What was for the server, such as the sign-in, stays behind.
            answer.resume();
            const range = asked.headers.get('range');
            resolve(fetch(location, { signal: asked.signal, ...(range === null ? {} : { headers: { range } }) }));
            return;
          }
          const empty = bodyless.has(status) || asked.method === 'HEAD';
          if (empty) answer.resume();
          resolve(
            new Response(empty ? null : (Readable.toWeb(answer) as ReadableStream), { status, headers: received }),
          );
        },
      );
      out.on('error', reject);
      if (asked.body === null || whole !== undefined) out.end(whole);
      else {
        // A server that refuses early closes the connection; its answer counts, not the broken pipe.
        pipeline(Readable.fromWeb(asked.body as unknown as WebStream), out).catch(() => {});
      }
    });
  };
}
