/**
 * The Fastify instance: a router whose every route comes from a contract, and whose every refusal is ours. Bodies,
 * queries and logs are not Fastify's here.
 */
import type { Server } from 'node:http';
import fastify, { type FastifyInstance } from 'fastify';
import type { BoundRoutes } from '../kernel/module.ts';
import { answerError, type BindOptions, bindRoutes, servedPaths } from './bind.ts';
import { exchangeOf } from './exchange.ts';
import { Refusal, unknownPath } from './refusal.ts';
import { answerParserError, type RequestHandler } from './transport.ts';
import { answerFromApp, type WebApp } from './web/serve-app.ts';

export interface AppParts {
  readonly routes: readonly BoundRoutes[];
  readonly bind: BindOptions;
  readonly webApp: WebApp;
  /** Makes the server that listens. */
  readonly transport: (handler: RequestHandler) => Server;
}

/** Longer than any request line that the transport lets through. */
const maxParamLength = 16_384;

function noSchemas(): never {
  throw new Error('a route has a contract, not a schema of Fastify');
}

export async function createApp({ routes, bind, webApp, transport }: AppParts): Promise<FastifyInstance> {
  const app: FastifyInstance = fastify({
    logger: false,
    serverFactory: (handler) => transport(handler),
    clientErrorHandler: (error, socket) => answerParserError(error, socket),
    genReqId: (raw) => exchangeOf(raw).id,
    requestIdHeader: false,
    return503OnClosing: false,
    // One hop: with more, a client could write its own address.
    trustProxy: bind.config.trustProxy ? (_address, hop) => hop === 0 : false,
    routerOptions: {
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: false,
      caseSensitive: true,
      maxParamLength,
      // Read by us, flat, once the caller is known.
      querystringParser: () => ({}),
    },
    // Contracts check and render; Fastify would read its own compilers all the same, a hundred files of them.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, bind),
  });
  app.decorateRequest('caller', null);
  app.removeAllContentTypeParsers();
  // Bodies are read by us, after the caller is known and allowed.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, bind));
  for (const bound of routes) bindRoutes(app, bound, bind);
  answerUnknownPaths(app, routes, bind, webApp);
  await app.ready();
  return app;
}

/** What is the web app's own; else 404 for what is no path of ours, 405 with Allow for a path that has other methods. */
function answerUnknownPaths(
  app: FastifyInstance,
  all: readonly BoundRoutes[],
  options: BindOptions,
  webApp: WebApp,
): void {
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
      if (!viaHost && answerFromApp(webApp, request, reply, options.config)) return;
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
