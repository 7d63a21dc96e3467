/**
 * The HTTP server: every route of every module and of the system, over TCP and over the data folder's own socket.
 *
 * `close` drains: it stops accepting, answers new requests 503, lets running ones finish within `drainSeconds`, and
 * then hangs up.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import type { Idempotency } from '../kernel/idempotency/idempotency.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { BoundRoutes, Module } from '../kernel/module.ts';
import type { Authenticator } from './access.ts';
import { answerError, type BindOptions, bindRoutes, servedPaths } from './bind.ts';
import { createBodyWatch } from './body-watch.ts';
import { type Exchange, exchangeOf } from './exchange.ts';
import { createRunOnce } from './idempotent.ts';
import { createMetrics, type HashQueue } from './metrics.ts';
import { openapiDocument } from './openapi.ts';
import { Refusal, unknownPath } from './refusal.ts';
import { systemRoutes } from './system.ts';
import { answerParserError, createTransport } from './transport.ts';

export interface ServerOptions {
  readonly kernel: Pick<Kernel, 'config' | 'log' | 'audit' | 'tenants' | 'files' | 'connections'>;
  readonly modules: readonly Pick<Module, 'name' | 'routes'>[];
  readonly accounts: Authenticator;
  readonly idempotency: Pick<Idempotency, 'begin'>;
  readonly hashQueue?: () => HashQueue;
  /** Parse every answer by its shape as well; for tests. */
  readonly validateAnswers?: boolean;
  /** Window of the minimum rate of bodies. Default 20 s. */
  readonly bodyWindowMs?: number;
}

export interface HttpServer {
  /** Listens on the configured host and port. @returns the address as `http://host:port` */
  listen(): Promise<string>;
  /** Serves the same routes, and the host's own, over a server that is given (the data folder's socket). */
  serveHost(listen: (server: Server) => Promise<void>): Promise<void>;
  /** The contract as OpenAPI 3.1, as JSON. */
  openapi(): string;
  close(): Promise<void>;
}

/** Makes the server; nothing listens yet. */
export async function createServer(options: ServerOptions): Promise<HttpServer> {
  const { kernel, modules } = options;
  const { config } = kernel;
  const metrics = createMetrics(kernel, options.hashQueue);
  const bodyWatch = createBodyWatch({
    bytesPerSecond: config.minBodyBytesPerSecond,
    ...(options.bodyWindowMs === undefined ? {} : { windowMs: options.bodyWindowMs }),
  });
  let draining = false;
  const finished = (exchange: Exchange, method: string, status: number) => {
    metrics.observe(method, exchange.route, status, (performance.now() - exchange.startedAt) / 1_000);
  };
  const transport = (viaHost: boolean) => (handler: Parameters<typeof createTransport>[0]) =>
    createTransport(handler, {
      config,
      viaHost,
      draining: () => draining,
      finished: (exchange, request, response) => finished(exchange, request.method ?? '', response.statusCode),
    });

  const bindOptions: BindOptions = {
    config,
    log: kernel.log,
    audit: kernel.audit,
    authenticator: options.accounts,
    bodyWatch,
    runOnce: createRunOnce(options.idempotency, kernel.log),
    validateAnswers: options.validateAnswers === true,
  };

  const app: FastifyInstance = fastify({
    logger: false,
    serverFactory: (handler) => transport(false)(handler),
    clientErrorHandler: (error, socket) => answerParserError(error, socket),
    genReqId: (raw) => exchangeOf(raw).id,
    requestIdHeader: false,
    return503OnClosing: false,
    // One hop: with more, a client could write its own address.
    trustProxy: config.trustProxy ? (_address, hop) => hop === 0 : false,
    routerOptions: {
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: false,
      caseSensitive: true,
      maxParamLength: 16_384,
      // Read by us, flat, once the caller is known.
      querystringParser: () => ({}),
    },
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, bindOptions),
  });
  let document: string | undefined;
  const openapi = () => {
    document ??= JSON.stringify(openapiDocument(all.map((routes) => routes.contract)));
    return document;
  };
  const all: BoundRoutes[] = [...modules.map((module) => module.routes), systemRoutes({ kernel, metrics, openapi })];

  app.decorateRequest('caller', null);
  app.removeAllContentTypeParsers();
  // Bodies are read by us, after the caller is known and allowed.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, bindOptions));
  for (const routes of all) bindRoutes(app, routes, bindOptions);
  answerUnknownPaths(app, all, bindOptions);
  await app.ready();

  const hosts: Server[] = [];
  return {
    openapi,
    async listen() {
      await app.listen({ host: config.host, port: config.port });
      return addressText(app.server.address() as AddressInfo);
    },
    async serveHost(listen) {
      const server = transport(true)(app.routing as never);
      server.on('clientError', answerParserError);
      await listen(server);
      hosts.push(server);
    },
    async close() {
      draining = true;
      const servers = [app.server, ...hosts].filter((server) => server.listening);
      await Promise.all(servers.map((server) => drain(server, config.drainSeconds * 1_000)));
      bodyWatch.close();
      await app.close();
    },
  };
}

/** 404 for what is no path of ours, 405 with Allow for a path that has other methods. */
function answerUnknownPaths(app: FastifyInstance, all: readonly BoundRoutes[], options: BindOptions): void {
  const paths = all.flatMap((routes) =>
    Object.values(routes.contract).flatMap((spec) =>
      servedPaths(spec).map((path) => ({
        form: pathForm(path),
        method: spec.method,
        host: spec.access.who === 'host',
      })),
    ),
  );
  app.setNotFoundHandler((request, reply) => {
    const { raw } = request;
    const path = (raw.url ?? '/').split('?', 1)[0]!;
    const { viaHost } = exchangeOf(raw);
    const methods = new Set<string>();
    for (const { form, method, host } of paths) {
      if (!form.test(path) || (host && !viaHost)) continue;
      methods.add(method);
      if (method === 'GET') methods.add('HEAD');
    }
    if (methods.size === 0) {
      answerError(unknownPath(), request, reply, options);
      return;
    }
    const allow = [...methods].sort().join(', ');
    const refusal = new Refusal(405, 'method_not_allowed', `This path takes ${allow}.`, { headers: { allow } });
    answerError(refusal, request, reply, options);
  });
}

function pathForm(path: string): RegExp {
  const text = path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${text === '/' ? '/' : `${text}/?`}$`);
}

/** Stops accepting, closes what only waits, and hangs up on what is not over in time. */
async function drain(server: Server, withinMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const timer = setTimeout(() => server.closeAllConnections(), withinMs);
  // A connection becomes idle when its answer is over; Node closes idle ones only when asked.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  server.closeIdleConnections();
  await closed;
  clearTimeout(timer);
  clearInterval(sweep);
}

function addressText(address: AddressInfo): string {
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
