/** What of a request a handler may see. Everything that costs is made when it is asked for. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestInfo } from '../kernel/module.ts';
import { boundaryOf, type MultipartLimits, multipartParts } from './multipart.ts';

export function requestInfo(
  request: FastifyRequest,
  reply: FastifyReply,
  facts: {
    readonly id: string;
    readonly ip: string;
    readonly limits: MultipartLimits;
    readonly confirm: () => Promise<void>;
  },
): RequestInfo {
  const { raw } = request;
  let controller: AbortController | undefined;
  return {
    id: facts.id,
    ip: facts.ip,
    method: request.method,
    path: pathOf(raw.url ?? '/'),
    raw,
    header(name) {
      const value = raw.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    confirm: facts.confirm,
    cookie: (name) => readCookie(raw.headers.cookie, name),
    parts: () => multipartParts(raw, boundaryOf(raw.headers['content-type']), facts.limits),
    get signal() {
      if (controller === undefined) {
        const made = new AbortController();
        controller = made;
        const { raw: response } = reply;
        if (response.destroyed && !response.writableFinished) made.abort();
        response.once('close', () => {
          if (!response.writableFinished) made.abort();
        });
      }
      return controller.signal;
    },
  };
}

/**
 * Whether a browser says that a page of this very origin asks. Browsers tell it by `Sec-Fetch-Site` over HTTPS and on the
 * own machine; where that is missing, by `Origin` if at all (the cookie itself is never sent from another site).
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}

/** The path of a request target: what stands before the query, without a trailing slash. */
export function pathOf(target: string): string {
  const path = target.split(/[?#]/, 1)[0]!;
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The value of one cookie; undefined where it is missing or stands twice (then none can be trusted). */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}
