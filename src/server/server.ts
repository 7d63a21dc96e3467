/**
 * The HTTP server: every route of every module and of the system, over TCP and over the data folder's own socket.
 *
 * `close` drains: it stops accepting, answers new requests 503, lets running ones finish within `drainSeconds`, and
 * then hangs up.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Idempotency } from '../kernel/idempotency/idempotency.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Logger } from '../kernel/log.ts';
import type { BoundRoutes, Module } from '../kernel/module.ts';
import type { Authenticator } from './access.ts';
import { createApp } from './app.ts';
import { createBodyWatch } from './body-watch.ts';
import { createRunOnce } from './idempotent.ts';
import { createMetrics, type HashQueue, type Metrics } from './metrics.ts';
import { openapiDocument } from './openapi.ts';
import { createStreamWatch } from './stream-watch.ts';
import { systemRoutes } from './system.ts';
import { answerParserError, createTransport, type RequestHandler, type TransportOptions } from './transport.ts';
import { builtApp, readAppFiles } from './web/app-files.ts';
import { appPage } from './web/app-page.ts';

export interface ServerOptions {
  readonly kernel: Pick<Kernel, 'config' | 'log' | 'audit' | 'tenants' | 'files' | 'connections' | 'foreground'>;
  readonly modules: readonly Pick<Module, 'name' | 'routes'>[];
  readonly accounts: Authenticator;
  readonly idempotency: Pick<Idempotency, 'begin'>;
  readonly hashQueue?: () => HashQueue;
  /** Parse every answer by its shape as well; for tests. */
  readonly validateAnswers?: boolean;
  /** Window of the minimum rate of bodies. Default 20 s. */
  readonly bodyWindowMs?: number;
  /** The built web app. Default: where the build puts it. */
  readonly webAppFolder?: string;
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
  const { kernel } = options;
  const { config, log } = kernel;
  const metrics = createMetrics(kernel, options.hashQueue);
  const streamWatch = createStreamWatch();
  const bodyWatch = createBodyWatch({
    bytesPerSecond: config.minBodyBytesPerSecond,
    ...(options.bodyWindowMs === undefined ? {} : { windowMs: options.bodyWindowMs }),
  });
  const files = readAppFiles(options.webAppFolder ?? builtApp);
  const page = appPage(files);
  let document: string | undefined;
  const openapi = () => {
    document ??= JSON.stringify(openapiDocument(routes.map(({ contract }) => contract)));
    return document;
  };
  const routes: BoundRoutes[] = [
    ...options.modules.map((module) => module.routes),
    systemRoutes({ kernel, metrics, openapi, page }),
  ];
  let draining = false;
  const common = { config, draining: () => draining, finished: finishedWith(metrics, log) };
  const app = await createApp({
    routes,
    webApp: { page, files },
    transport: (handler) => createTransport(handler, { ...common, viaHost: false }),
    bind: {
      config,
      log,
      audit: kernel.audit,
      authenticator: options.accounts,
      bodyWatch,
      streamWatch,
      foreground: kernel.foreground,
      runOnce: createRunOnce(options.idempotency, log),
      validateAnswers: options.validateAnswers === true,
    },
  });
  const hosts: Server[] = [];
  return {
    openapi,
    async listen() {
      await app.listen({ host: config.host, port: config.port });
      return addressText(app.server.address() as AddressInfo);
    },
    async serveHost(listen) {
      const server = createTransport(app.routing as RequestHandler, { ...common, viaHost: true });
      server.on('clientError', answerParserError);
      await listen(server);
      hosts.push(server);
    },
    async close() {
      draining = true;
      const servers = [app.server, ...hosts].filter((server) => server.listening);
      await Promise.all(servers.map((server) => drain(server, config.drainSeconds * 1_000)));
      bodyWatch.close();
      streamWatch.close();
      await app.close();
    },
  };
}

/** What is noted of a request that is over: its time, by route. Nothing that the client wrote. */
function finishedWith(metrics: Metrics, log: Logger): TransportOptions['finished'] {
  return (exchange, request, response) => {
    const ms = performance.now() - exchange.startedAt;
    const { method = '' } = request;
    const { statusCode: status } = response;
    metrics.observe(method, exchange.route, status, ms / 1_000);
    if (!log.isLevelEnabled('debug')) return;
    log.debug({ request_id: exchange.id, method, route: exchange.route, status, ms: Math.round(ms) }, 'answered');
  };
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
