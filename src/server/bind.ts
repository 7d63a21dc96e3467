/**
 * Binds the routes of contracts to Fastify: every route under its path and its `/api/v1` twin, in one fixed order —
 * known? authenticated? allowed? params, query, body, handler, answer from the shape. A refusal at any step is a
 * problem document and has had no effect.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Audit } from '../kernel/audit/audit.ts';
import type { RouteSpec } from '../kernel/contract.ts';
import { forbidden, isStrongroomError } from '../kernel/errors.ts';
import type { Foreground } from '../kernel/foreground.ts';
import type { Caller } from '../kernel/handles.ts';
import type { Logger } from '../kernel/log.ts';
import type { BoundRoutes, Handler, RequestInfo } from '../kernel/module.ts';
import type { Config } from '../kernel/settings.ts';
import { type Authenticator, allow, anonymous, identify, type RequestSource } from './access.ts';
import { type AnswerOptions, type RawAnswer, type Renderer, rendererOf, sendAnswer } from './answer.ts';
import { type Observed, reportAttempts } from './attempts.ts';
import { readBody, refuseEncoding } from './body.ts';
import type { BodyWatch } from './body-watch.ts';
import { type Exchange, exchangeOf, isGone } from './exchange.ts';
import { isHttps, securityHeaders } from './headers.ts';
import type { FullAnswer, RunOnce } from './idempotent.ts';
import { parseBody, parseParams, parseQuery } from './input.ts';
import { boundaryOf, type MultipartLimits } from './multipart.ts';
import { problemOf, problemType } from './problem.ts';
import { Refusal, tooLarge } from './refusal.ts';
import { isSameOrigin, pathOf, readCookie, requestInfo } from './request-info.ts';
import { isLost, type StreamWatch } from './stream-watch.ts';
import { answerProblem } from './transport.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once authentication is over. */
    caller: Caller | null;
  }
}

export interface BindOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly audit: Audit;
  readonly authenticator: Authenticator;
  readonly bodyWatch: BodyWatch;
  readonly streamWatch: StreamWatch;
  readonly runOnce: RunOnce;
  readonly foreground: Foreground;
  /** Parse every answer by its shape too; for tests. */
  readonly validateAnswers?: boolean;
}

interface Bound {
  readonly operation: string;
  readonly spec: RouteSpec;
  readonly handler: Handler<RouteSpec>;
  readonly render: Renderer;
  readonly answers: AnswerOptions;
  readonly options: BindOptions;
  readonly headers: Readonly<Record<string, string>>;
  readonly multipart: MultipartLimits;
  readonly bodyOptional: boolean;
}

const multipartSlack = 1024 * 1024;
/** Set by `POST /api/auth/ticket`. */
const ticketCookie = 'strongroom_ticket';
const mutations = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Registers every route of `routes`. A path and method that is taken already is a fault at start. */
export function bindRoutes(app: FastifyInstance, routes: BoundRoutes, options: BindOptions): void {
  const answers = { secureCookies: isHttps(options.config), validate: options.validateAnswers === true };
  const heads = new Set(
    Object.values(routes.contract)
      .filter((spec) => spec.method === 'HEAD')
      .map((spec) => spec.path),
  );
  for (const [name, spec] of Object.entries(routes.contract)) {
    const bound: Bound = {
      operation: name,
      spec,
      handler: routes.handlers[name]!,
      render: rendererOf(spec, answers),
      answers,
      options,
      headers: securityHeaders(options.config),
      multipart: { parts: 100, fieldBytes: options.config.bodyLimitBytes, fileBytes: options.config.maxUploadBytes },
      bodyOptional: spec.body?.safeParse(undefined).success === true,
    };
    const method: HTTPMethods[] = spec.method === 'GET' && !heads.has(spec.path) ? ['GET', 'HEAD'] : [spec.method];
    for (const url of servedPaths(spec)) {
      app.route({
        method,
        url: url.replaceAll(/\{(\w+)\}/g, ':$1'),
        exposeHeadRoute: false,
        onRequest: (request, reply, done) => authenticate(bound, request, reply, done),
        handler: (request, reply) => handle(bound, request, reply),
      });
    }
  }
}

/** The path of a route and its `/api/v1` twin. */
export function servedPaths(spec: RouteSpec): string[] {
  if (spec.single === true || !spec.path.startsWith('/api/')) return [spec.path];
  return [spec.path, `/api/v1${spec.path.slice('/api'.length)}`];
}

function authenticate(bound: Bound, request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  const { spec, options } = bound;
  const exchange = exchangeOf(request.raw);
  exchange.route = spec.path;
  reply.headers(bound.headers).header('x-request-id', exchange.id);
  const { authorization, cookie } = request.raw.headers;
  if (cookie !== undefined && mutations.has(spec.method) && request.raw.headers['sec-fetch-site'] === 'cross-site') {
    done(new Refusal(403, 'cross_site', 'Another site may not do this with your cookies.'));
    return;
  }
  if (spec.access.who === 'anyone' && authorization === undefined) {
    request.caller = anonymous;
    done();
    return;
  }
  const source = { ip: callerAddress(request), requestId: exchange.id };
  const ticket = authorization === undefined ? ticketOf(bound, request) : undefined;
  if (ticket !== undefined) {
    const path = pathOf(request.raw.url ?? '/');
    admit(bound, request, options.authenticator.authenticateTicket(ticket, path, source)).then(() => done(), done);
    return;
  }
  const caller = identify(spec.access, authorization, exchange.viaHost, options.authenticator, source);
  admit(bound, request, caller).then(() => done(), done);
}

async function admit({ spec }: Bound, request: FastifyRequest, asking: Promise<Caller>): Promise<void> {
  const caller = await asking;
  request.caller = caller;
  allow(spec.access, caller);
}

/** The ticket cookie, where the route takes one for this method and a page of our own origin asks. */
function ticketOf({ spec }: Bound, request: FastifyRequest): string | undefined {
  const { headers } = request.raw;
  if (spec.ticket !== true || request.method !== spec.method || headers.cookie === undefined) return undefined;
  return isSameOrigin(headers) ? readCookie(headers.cookie, ticketCookie) : undefined;
}

async function handle(bound: Bound, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { spec, options } = bound;
  const { raw } = request;
  const exchange = exchangeOf(raw);
  const caller = request.caller ?? anonymous;
  const observed: Observed & { body: unknown } = { spec, request: raw, params: request.params, body: undefined };
  const source = { ip: callerAddress(request), requestId: exchange.id };
  const begun = exchange.startedAt;
  const confirm = () => stillHolds(bound, caller, { ...source, begun });
  const unwatch = watchBody(bound, request, reply, confirm);
  const answered = options.foreground.begin();
  try {
    const params = parseParams(spec, request.params);
    const query = parseQuery(spec, raw.url ?? '/');
    observed.body = await receive(bound, request);
    const body = streams(spec) ? undefined : parseBody(spec, observed.body);
    const info = requestInfo(request, reply, { ...source, id: exchange.id, limits: bound.multipart, confirm });
    const run = async (request: RequestInfo): Promise<FullAnswer> => {
      const answer = (await bound.handler({ caller, params, query, body, request } as never)) as RawAnswer;
      return { answer, rendered: bound.render(answer) };
    };
    const key = spec.creates === undefined ? undefined : info.header('idempotency-key');
    const keyed = { spec, operation: bound.operation, caller, params, query, body, info };
    const { answer, rendered } = key === undefined ? await run(info) : await options.runOnce({ ...keyed, key }, run);
    if (reply.sent) return reply;
    sendAnswer(reply, answer, rendered, bound.answers);
    if (isStream(rendered.payload)) watchAnswer(bound, reply, confirm);
    reportAttempts(options.audit, caller, observed, undefined, source);
  } catch (thrown) {
    const error = streams(spec) ? await whyBroken(thrown, confirm) : thrown;
    reportAttempts(options.audit, caller, observed, error, source);
    throw error;
  } finally {
    answered();
    unwatch?.();
  }
  return reply;
}

/** Whether the handler reads the body itself; a shape is then there for the documents alone. */
function streams(spec: RouteSpec): boolean {
  return spec.bodyKind === 'multipart' || spec.bodyKind === 'stream';
}

/** The parsed body, where the route has one that the server reads; checks what a streamed one announces. */
async function receive(bound: Bound, request: FastifyRequest): Promise<unknown> {
  const { spec, options } = bound;
  const { config } = options;
  if (streams(spec)) {
    refuseEncoding(request.raw);
    if (spec.bodyKind === 'multipart') boundaryOf(request.raw.headers['content-type']);
    if (Number(request.raw.headers['content-length'] ?? 0) > config.maxUploadBytes + multipartSlack) {
      throw tooLarge('The file is larger than this server takes.', 'file_too_large');
    }
    return undefined;
  }
  if (spec.body === undefined) {
    if (Number(request.raw.headers['content-length'] ?? 0) > config.bodyLimitBytes)
      throw tooLarge('No body is due here.');
    return undefined;
  }
  const limits = { bytes: config.bodyLimitBytes, seconds: config.requestSeconds };
  return await readBody(request.raw, spec.bodyKind ?? 'json', limits, bound.bodyOptional);
}

/** Ends the request when a body that a handler reads comes too slowly, or when its sender may not send it any more. */
function watchBody(
  bound: Bound,
  request: FastifyRequest,
  reply: FastifyReply,
  confirm: () => Promise<void>,
): (() => void) | undefined {
  const { spec, options } = bound;
  if (!streams(spec)) return undefined;
  const end = (refusal: unknown) => {
    if (reply.sent || reply.raw.headersSent) return;
    reply.hijack();
    answerProblem(request.raw, reply.raw, refusal, options.config);
    // Ends the streams of the handler, so that it undoes what it began.
    setTimeout(() => request.raw.destroy(refusal as Error), 100).unref();
  };
  const tooSlow = () => {
    const headers = { connection: 'close' };
    end(new Refusal(408, 'request_timeout', 'The body came too slowly.', { headers }));
  };
  const unwatch = [options.bodyWatch.watch(request.raw, tooSlow), options.streamWatch.watch(confirm, end)];
  return () => {
    for (const stop of unwatch) stop();
  };
}

/** Breaks an answer off when its receiver may not have it any more: never a clean end. */
function watchAnswer(bound: Bound, reply: FastifyReply, confirm: () => Promise<void>): void {
  const { raw } = reply;
  if (raw.destroyed) return;
  raw.once(
    'close',
    bound.options.streamWatch.watch(confirm, () => raw.destroy()),
  );
}

function isStream(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'pipe' in payload;
}

/** A request this young is taken to be as its authentication found it. */
const youngMs = 100;

/** Whether the caller may still do what began a while ago. @throws unauthenticated, forbidden, unavailable */
async function stillHolds(bound: Bound, caller: Caller, source: RequestSource & { begun: number }): Promise<void> {
  if (caller.kind !== 'member' && caller.kind !== 'operator') return;
  if (performance.now() - source.begun < youngMs) return;
  const now = await bound.options.authenticator.confirm(caller, source);
  allow(bound.spec.access, now);
  // What was looked up with the rights of the former role does not hold either.
  if (caller.kind === 'member' && now.kind === 'member' && caller.user.role !== now.user.role) {
    throw forbidden('Your role has changed meanwhile. Begin again.', 'role_changed');
  }
}

/** What broke may have been taken away because the caller lost the right to it (a company that was purged): then that. */
async function whyBroken(error: unknown, confirm: () => Promise<void>): Promise<unknown> {
  const refused = error instanceof Refusal || (isStrongroomError(error) && error.kind !== 'unavailable');
  if (refused) return error;
  return await confirm().then(
    () => error,
    (found: unknown) => (isLost(found) ? found : error),
  );
}

/** The one way in which Fastify's errors and ours are answered. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, options: BindOptions): void {
  const exchange = exchangeOf(request.raw);
  if (isGone(reply.raw) || reply.sent) {
    if (!reply.sent) reply.hijack();
    return;
  }
  const problem = problemOf(fastifyRefusal(error) ?? error, exchange.id);
  if (problem.fault) logFault(options.log, error, exchange, problem.status);
  reply.code(problem.status).headers(securityHeaders(options.config)).header('x-request-id', exchange.id);
  reply.headers(problem.headers).header('content-type', problemType).send(Buffer.from(problem.body));
}

function logFault(log: Logger, error: unknown, exchange: Exchange, status: number): void {
  const facts = { err: error, request_id: exchange.id, route: exchange.route, status };
  if (status === 500) log.error(facts, 'request failed');
  else log.warn(facts, 'dependency failed');
}

/** Fastify's own refusals (a content type that is no media type, a path it cannot decode) as ours. */
function fastifyRefusal(error: unknown): Refusal | undefined {
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  if (typeof code !== 'string' || !code.startsWith('FST_') || statusCode === undefined || statusCode >= 500)
    return undefined;
  if (statusCode === 415) return new Refusal(415, 'unsupported_media_type', 'This Content-Type is not taken here.');
  return new Refusal(statusCode, 'malformed_request', 'The request cannot be understood.');
}

/** The caller's address; IPv4 written plainly; `local` over a Unix socket. */
export function callerAddress(request: FastifyRequest): string {
  const { ip } = request;
  if (ip === undefined || ip === '') return 'local';
  return ip.startsWith('::ffff:') ? ip.slice('::ffff:'.length) : ip;
}
