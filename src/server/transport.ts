/**
 * Node's HTTP server as this product wants it: whatever its parser refuses or lets through by itself is answered with
 * a problem document, connections that only wait are bounded, and a body that nobody reads is not read for ever.
 *
 * Refused here, before any route: two Host or Authorization headers, a target that is not a path, percent encoding
 * that does not decode, unknown expectations, CONNECT. The name in an absolute target or in Host is never used.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../kernel/settings.ts';
import { beginExchange, type Exchange, exchangeOf, isGone, newRequestId } from './exchange.ts';
import { securityHeaders } from './headers.ts';
import { type IdleConnections, trackIdleConnections } from './idle-connections.ts';
import { problemDocument, problemOf, problemType } from './problem.ts';
import { malformed, Refusal, unknownPath } from './refusal.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface TransportOptions {
  readonly config: Config;
  readonly viaHost: boolean;
  /** True from the beginning of the drain: new requests get 503. */
  readonly draining: () => boolean;
  /** Called once for each request when its answer is over or its client gone. */
  readonly finished: (exchange: Exchange, request: IncomingMessage, response: ServerResponse) => void;
}

/** Bytes of request line and headers together; more is 431. */
const maxHeaderBytes = 16 * 1024;
const unreadBodyMs = 5_000;
/** A connection over which nothing moves for so long is closed: a download that nobody reads holds a file open. */
const silenceMs = 120_000;

/** A server that hands `handler` only requests that passed the checks above. Not listening yet. */
export function createTransport(handler: RequestHandler, options: TransportOptions): Server {
  const { config } = options;
  const idle = trackIdleConnections({ perAddress: 256 });
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: config.requestSeconds * 1_000,
    // Bodies have limits of their own: JSON by time, streams by their rate.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5_000, Math.max(200, config.requestSeconds * 250)),
    keepAliveTimeout: 65_000,
    // Checked here, so that the answer is a problem document.
    requireHostHeader: false,
    noDelay: true,
  });
  // Work that the host asks for may take as long as it takes.
  if (!options.viaHost) server.setTimeout(silenceMs);
  server.on('connection', (socket) => idle.connected(socket));
  server.on('request', (request, response) => accept(request, response, handler, options, idle));
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = new Refusal(417, 'expectation_failed', 'The expectation in the header Expect is not known.');
    accept(request, response, () => answerProblem(request, response, refusal, config), options, idle);
  });
  server.on('connect', (_request, socket) => {
    answerOnSocket(socket as Socket, 405, 'method_not_allowed', 'This server is not a proxy.');
  });
  return server;
}

function accept(
  request: IncomingMessage,
  response: ServerResponse,
  handler: RequestHandler,
  options: TransportOptions,
  idle: IdleConnections,
): void {
  const exchange = beginExchange(request, options.viaHost);
  const { socket } = request;
  idle.busy(socket);
  // A client that goes away raises errors on both; what needs to know listens to `close`.
  request.on('error', ignore);
  response.on('error', ignore);
  response.on('close', () => {
    idle.waiting(socket);
    options.finished(exchange, request, response);
    if (!request.complete && !socket.destroyed) endUnreadBody(request);
  });
  try {
    checkHeaders(request);
    checkTarget(request);
    if (options.draining()) {
      const headers = { connection: 'close', 'retry-after': '5' };
      throw new Refusal(503, 'shutting_down', 'The server is shutting down.', { headers });
    }
  } catch (error) {
    answerProblem(request, response, error, options.config);
    return;
  }
  handler(request, response);
}

function ignore(): void {}

/**
 * The rest of a refused body is read and thrown away for a while, so that the client gets to see the answer and may use
 * the connection again; then we hang up.
 */
function endUnreadBody(request: IncomingMessage): void {
  request.removeAllListeners('readable');
  request.resume();
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy();
  }, unreadBodyMs);
  timer.unref();
  request.on('end', () => clearTimeout(timer));
  request.on('close', () => clearTimeout(timer));
}

function checkHeaders(request: IncomingMessage): void {
  const { rawHeaders } = request;
  let hosts = 0;
  let authorizations = 0;
  let contentTypes = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
    else if (name.length === 13 && name.toLowerCase() === 'authorization') authorizations += 1;
    else if (name.length === 12 && name.toLowerCase() === 'content-type') contentTypes += 1;
  }
  if (hosts > 1 || (hosts === 0 && request.httpVersionMinor === 1)) throw malformed('Send the header Host once.');
  if (authorizations > 1) throw malformed('Send the header Authorization once.');
  if (contentTypes > 1) throw malformed('Send the header Content-Type once.');
}

const absolute = /^https?:\/\/[^/?#]*/i;

function checkTarget(request: IncomingMessage): void {
  let target = request.url ?? '/';
  if (!target.startsWith('/')) {
    if (!absolute.test(target)) throw malformed('The request target is not a path.', 'malformed_path');
    target = target.replace(absolute, '');
    request.url = target.startsWith('/') ? target : `/${target}`;
  }
  const mark = target.indexOf('?');
  // The router would take one of them for the slash at the end.
  const slashes = target.indexOf('//');
  if (slashes !== -1 && (mark === -1 || slashes < mark)) throw unknownPath();
  if (!target.includes('%')) return;
  try {
    decodeURIComponent(mark === -1 ? target : target.slice(0, mark));
  } catch {
    throw malformed('The path is not valid percent-encoded UTF-8.', 'malformed_path');
  }
}

/** Answers with the problem document of `error`, where an answer can still be given. */
export function answerProblem(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  config: Pick<Config, 'publicUrl'>,
): void {
  if (response.headersSent || isGone(response)) {
    response.destroy();
    return;
  }
  const { id } = exchangeOf(request);
  const problem = problemOf(error, id);
  response.writeHead(problem.status, {
    ...securityHeaders(config),
    ...problem.headers,
    'content-type': problemType,
    'content-length': Buffer.byteLength(problem.body),
    'x-request-id': id,
  });
  response.end(request.method === 'HEAD' ? undefined : problem.body);
}

const refusedByParser: Readonly<Record<string, readonly [number, string, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'headers_too_large', `Request line and headers are larger than ${maxHeaderBytes} bytes.`],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'body_too_large', 'The chunk extensions are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request_timeout', 'The request did not arrive in time.'],
};

/** What Node's parser refuses: the same document, written on the socket itself. */
export function answerParserError(error: NodeJS.ErrnoException, socket: Socket): void {
  const code = error.code ?? '';
  const known = refusedByParser[code];
  if (known === undefined && !code.startsWith('HPE_')) {
    socket.destroy();
    return;
  }
  const [status, name, detail] = known ?? [400, 'malformed_request', 'The request is not valid HTTP.'];
  answerOnSocket(socket, status, name, detail);
}

const answered = new WeakSet<Socket>();

function answerOnSocket(socket: Socket, status: number, code: string, detail: string): void {
  if (answered.has(socket)) return;
  answered.add(socket);
  const pending = (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage;
  if (!socket.writable || pending?.headersSent === true) {
    socket.destroy();
    return;
  }
  const id = newRequestId();
  const body = problemDocument({ status, code, detail }, id);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    `x-request-id: ${id}`,
  ];
  socket.on('error', ignore);
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), 1_000).unref();
}
