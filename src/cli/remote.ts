/**
 * A server as the command line sees it: routes of the contracts, called over `fetch` (a socket or an address). A
 * refusal becomes a `CommandFailure` with the exit code that goes with it.
 */
import type { z } from 'zod';
import type { AnswerShape, BodyIn, ParamsIn, QueryIn, RouteSpec } from '../kernel/contract.ts';
import { refusal } from './failure.ts';
import type { FetchLike } from './transport.ts';

type AnswerBody<S extends AnswerShape> = S extends z.ZodType ? z.output<S> : undefined;

export interface CallInput<R extends RouteSpec> {
  readonly params?: ParamsIn<R>;
  readonly query?: QueryIn<R>;
  readonly body?: BodyIn<R> | FormData;
  readonly headers?: Readonly<Record<string, string>>;
}

export type CallAnswer<R extends RouteSpec> = {
  [S in keyof R['answers'] & number]: { readonly status: S; readonly body: AnswerBody<R['answers'][S]> };
}[keyof R['answers'] & number];

export interface Remote {
  /** @throws CommandFailure where the server refuses */
  call<R extends RouteSpec>(route: R, input?: CallInput<R>): Promise<CallAnswer<R>>;
  /** The answer itself, for bytes. @throws CommandFailure where the server refuses */
  open<R extends RouteSpec>(route: R, input?: CallInput<R>): Promise<Response>;
  /** The same server with a bearer token. */
  withToken(token: string): Remote;
  close(): Promise<void>;
}

function addressOf(base: string, route: RouteSpec, params: object | undefined, query: object | undefined): string {
  const values = (params ?? {}) as Readonly<Record<string, string>>;
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.set(name, String(value));
  }
  return `${base.replace(/\/+$/, '')}${path}${search.size > 0 ? `?${search}` : ''}`;
}

async function refused(answer: Response): Promise<never> {
  const text = await answer.text();
  let problem: Record<string, unknown> = {};
  try {
    problem = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not from Strongroom itself (a proxy, say): the status is all there is.
  }
  throw refusal(answer.status, problem);
}

export function createRemote(base: string, fetch: FetchLike, close: () => Promise<void>, token?: string): Remote {
  async function open<R extends RouteSpec>(route: R, input: CallInput<R> = {}): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json', ...input.headers };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const init: RequestInit = { method: route.method, headers };
    if (input.body instanceof FormData) init.body = input.body;
    else if (input.body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(input.body);
    }
    const answer = await fetch(addressOf(base, route, input.params, input.query), init);
    return answer.ok ? answer : refused(answer);
  }
  return {
    open,
    async call<R extends RouteSpec>(route: R, input?: CallInput<R>) {
      const answer = await open(route, input);
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) } as CallAnswer<R>;
    },
    withToken: (given) => createRemote(base, fetch, close, given),
    close,
  };
}
