/** How one route is called: its address, its request, and its answer, typed by the contract. */
import type { z } from 'zod';
import type { AnswerShape, BodyIn, ParamsIn, QueryIn, RouteSpec } from '../kernel/contract.ts';

/** Leaves out a member that a route does not have, and demands one that it has and that has required members. */
type Member<Name extends string, Value> = [Value] extends [undefined]
  ? { readonly [N in Name]?: undefined }
  : undefined extends Value
    ? { readonly [N in Name]?: Value | undefined }
    : // A shape without required members may be left out.
      Record<never, never> extends Value
      ? { readonly [N in Name]?: Value }
      : { readonly [N in Name]: Value };

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Sent as Idempotency-Key: the same key gives the same answer and one effect. */
  readonly idempotencyKey?: string;
}

type Body<R extends RouteSpec> = R['bodyKind'] extends 'multipart'
  ? { readonly body: FormData }
  : R['bodyKind'] extends 'stream'
    ? { readonly body?: BodyInit }
    : Member<'body', BodyIn<R>>;

/** What a route is called with. */
export type CallInput<R extends RouteSpec> = Member<'params', ParamsIn<R>> &
  Member<'query', QueryIn<R>> &
  Body<R> &
  CallOptions;

type BodyOfAnswer<S> = S extends z.ZodType
  ? z.output<S>
  : S extends 'text' | 'html'
    ? string
    : S extends 'binary'
      ? Response
      : undefined;

/** What a call resolves to: the body of any success that the contract names. Bytes come as the `Response` itself. */
export type CallOutput<R extends RouteSpec> = {
  [S in keyof R['answers'] & number]: BodyOfAnswer<R['answers'][S]>;
}[keyof R['answers'] & number];

/** True where nothing has to be given. */
export type Optional<Input> = Record<never, never> extends Input ? true : false;

/** The input of any route, seen without its types. */
export interface LooseInput extends CallOptions {
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
}

/** Path and query of a call. */
export function addressOf(route: RouteSpec, input: LooseInput): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(input.params?.[name] ?? '')),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined && value !== null) query.set(name, String(value));
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

/** Method, headers and body of a call. */
export function requestOf(route: RouteSpec, input: LooseInput): { init: RequestInit; headers: Record<string, string> } {
  const headers: Record<string, string> = { accept: 'application/json', ...input.headers };
  if (input.idempotencyKey !== undefined) headers['idempotency-key'] = input.idempotencyKey;
  const init: RequestInit & { duplex?: 'half' } = { method: route.method };
  if (input.signal !== undefined) init.signal = input.signal;
  if (input.body === undefined) return { init, headers };
  if (route.bodyKind === 'multipart' || route.bodyKind === 'stream') {
    init.body = input.body as BodyInit;
    init.duplex = 'half';
  } else if (route.bodyKind === 'form') {
    init.body = new URLSearchParams(input.body as Record<string, string>);
  } else {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(input.body);
  }
  return { init, headers };
}

/** The body of a success, by the shape that the contract has for its status. */
export async function answerOf(route: RouteSpec, answer: Response): Promise<unknown> {
  const shape: AnswerShape | undefined = route.answers[answer.status];
  if (shape === 'binary') return answer;
  if (shape === 'text' || shape === 'html') return await answer.text();
  const text = await answer.text();
  return shape === null || shape === undefined || text === '' ? undefined : JSON.parse(text);
}
