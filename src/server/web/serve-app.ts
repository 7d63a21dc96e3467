/**
 * Answers what only the web app knows: its files, and its page for every address that a browser navigates to and no
 * contract has. A path of the API is never taken for the app's: what is unknown there stays a problem document.
 */
import { createReadStream } from 'node:fs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../kernel/settings.ts';
import { exchangeOf } from '../exchange.ts';
import { securityHeaders } from '../headers.ts';
import type { Page } from '../pages/page.ts';
import { pathOf as addressOf } from '../request-info.ts';
import { type AppFile, type AppFiles, type Coding, codings, pathOf } from './app-files.ts';

export interface WebApp {
  /** The page, made anew for each answer. */
  readonly page: () => Page;
  readonly files: AppFiles;
}

/** Belong to programs, or to files, whatever a client says that it accepts. */
const notForPages = /^\/(api|assets|docs|openapi\.json|metrics|health|ready)(\/|$)/;

/** Whether this request was the app's and is answered. */
export function answerFromApp(
  app: WebApp,
  request: FastifyRequest,
  reply: FastifyReply,
  config: Pick<Config, 'publicUrl'>,
): boolean {
  const { method, headers } = request.raw;
  if (method !== 'GET' && method !== 'HEAD') return false;
  const path = addressOf(request.raw.url ?? '/');
  const file = app.files.find(path);
  const navigates = headers.accept?.includes('text/html') === true && !notForPages.test(path);
  if (file === undefined && !navigates) return false;
  const exchange = exchangeOf(request.raw);
  exchange.route = file === undefined ? '(app)' : '(file)';
  reply.headers(securityHeaders(config)).header('x-request-id', exchange.id);
  if (file === undefined) sendPage(app.page(), reply);
  else sendFile(file, request, reply);
  return true;
}

function sendPage({ html, headers }: Page, reply: FastifyReply): void {
  reply.code(200).headers(headers).header('content-type', 'text/html; charset=utf-8').send(html);
}

function sendFile(file: AppFile, request: FastifyRequest, reply: FastifyReply): void {
  const coding = codingFor(file, request.raw.headers['accept-encoding']);
  const kept = file.hashed ? 'public, max-age=31536000, immutable' : 'public, max-age=3600';
  reply.code(200).headers({ 'content-type': file.type, 'cache-control': kept, vary: 'accept-encoding' });
  if (coding !== 'identity') reply.header('content-encoding', coding);
  reply.header('content-length', file.codings[coding]!);
  reply.send(request.method === 'HEAD' ? '' : createReadStream(pathOf(file, coding)));
}

function codingFor(file: AppFile, accepted: string | string[] | undefined): Coding {
  const wanted = String(accepted ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
    .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
    .map((part) => part.split(';', 1)[0]);
  return codings.find((coding) => file.codings[coding] !== undefined && wanted.includes(coding)) ?? 'identity';
}
