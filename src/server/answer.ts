/** Answers: status, headers and cookies of a handler, with a body made from the contract's shape and nothing else. */
import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { AnswerShape, RouteSpec } from '../kernel/contract.ts';
import { StrongroomError } from '../kernel/errors.ts';
import type { CookieOut } from '../kernel/module.ts';
import { pickerOf } from './shape.ts';

/** What any handler answers, seen without its contract's types. */
export interface RawAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly CookieOut[];
  readonly body?: unknown;
}

export interface AnswerOptions {
  /** Cookies are marked Secure. */
  readonly secureCookies: boolean;
  /** Also parse every answer by its shape and fail where it does not fit: for tests. */
  readonly validate: boolean;
}

/** A body ready to be sent: text, bytes or a stream, with its type. */
export interface Rendered {
  readonly type: string | null;
  readonly payload: string | Uint8Array | Readable | null;
}

export type Renderer = (answer: RawAnswer) => Rendered;

type RenderBody = (body: unknown) => Rendered;

/** Compiles how the answers of one route are rendered. */
export function rendererOf(spec: RouteSpec, options: AnswerOptions): Renderer {
  const byStatus = new Map<number, RenderBody>();
  for (const [status, shape] of Object.entries(spec.answers))
    byStatus.set(Number(status), bodyRenderer(shape, options));
  return (answer) => {
    const render = byStatus.get(answer.status);
    if (render === undefined) throw brokenAnswer(`status ${answer.status} is not in the contract of ${spec.path}`);
    return render(answer.body);
  };
}

function bodyRenderer(shape: AnswerShape, options: AnswerOptions): RenderBody {
  if (shape === null) return () => ({ type: null, payload: null });
  if (shape === 'binary') return (body) => ({ type: 'application/octet-stream', payload: body as Rendered['payload'] });
  if (shape === 'text') return (body) => ({ type: 'text/plain; charset=utf-8', payload: String(body) });
  if (shape === 'html') return (body) => ({ type: 'text/html; charset=utf-8', payload: String(body) });
  const pick = pickerOf(shape);
  return (body) => {
    if (options.validate) validate(shape, body);
    return { type: 'application/json; charset=utf-8', payload: JSON.stringify(pick(body)) };
  };
}

function validate(shape: z.ZodType, body: unknown): void {
  const result = shape.safeParse(body);
  if (!result.success) throw brokenAnswer(`answer does not fit its shape: ${result.error.message}`);
}

function brokenAnswer(cause: string): StrongroomError {
  return new StrongroomError('internal', 'internal', 'The answer does not fit its contract.', {
    cause: new Error(cause),
  });
}

/** Sends a rendered answer. HEAD gets the headers of GET and no body. */
export function sendAnswer(reply: FastifyReply, answer: RawAnswer, rendered: Rendered, options: AnswerOptions): void {
  reply.code(answer.status);
  if (rendered.type !== null) reply.header('content-type', rendered.type);
  if (answer.headers !== undefined) reply.headers(answer.headers);
  for (const cookie of answer.cookies ?? []) reply.header('set-cookie', cookieText(cookie, options.secureCookies));
  const { payload } = rendered;
  if (reply.request.method === 'HEAD' && payload !== null && typeof payload === 'object' && 'pipe' in payload) {
    payload.destroy();
    reply.send('');
    return;
  }
  // Fastify writes the text `null` for null where a status may have a body.
  const bodiless = answer.status === 204 || answer.status === 304;
  reply.send(payload === null && !bodiless ? '' : payload);
}

function cookieText(cookie: CookieOut, secure: boolean): string {
  const age = `Max-Age=${Math.floor(cookie.maxAge)}`;
  return `${cookie.name}=${cookie.value}; ${age}; Path=${cookie.path}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}
