/**
 * A server as the command line sees it: any route of a contract, the host's own included, called the way the typed
 * client calls them, over `fetch` (a socket or an address). A refusal becomes a `CommandFailure`.
 */
import type { z } from 'zod';
import { addressOf, answerOf, type LooseInput, requestOf } from '../client/call.ts';
import { ProblemError, problemErrorOf } from '../client/problem-error.ts';
import { type Upload, uploadForm } from '../client/upload.ts';
import type { AnswerShape, BodyIn, ParamsIn, QueryIn, RouteSpec } from '../kernel/contract.ts';
import type { Document } from '../modules/documents/contract.ts';
import { refusal } from './failure.ts';
import type { FetchLike } from './transport.ts';

type AnswerBody<S extends AnswerShape> = S extends z.ZodType ? z.output<S> : undefined;

export interface CallInput<R extends RouteSpec> {
  readonly params?: ParamsIn<R>;
  readonly query?: QueryIn<R>;
  readonly body?: R['bodyKind'] extends 'multipart' ? FormData : BodyIn<R>;
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
  /** Uploads one file, with progress. @throws CommandFailure where the server refuses */
  upload(source: Blob, upload: Upload): Promise<Document>;
  /** The same server with a bearer token. */
  withToken(token: string): Remote;
  close(): Promise<void>;
}

export function createRemote(base: string, fetch: FetchLike, close: () => Promise<void>, token?: string): Remote {
  async function open(route: RouteSpec, given: object = {}): Promise<Response> {
    const input = given as LooseInput;
    const { init, headers } = requestOf(route, input);
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const answer = await fetch(base + addressOf(route, input), { ...init, headers });
    if (answer.ok) return answer;
    throw refusal(await problemErrorOf(answer));
  }
  return {
    open,
    async call<R extends RouteSpec>(route: R, input?: CallInput<R>) {
      const answer = await open(route, input);
      return { status: answer.status, body: await answerOf(route, answer) } as CallAnswer<R>;
    },
    async upload(source, upload) {
      const headers = (): Record<string, string> => (token === undefined ? {} : { authorization: `Bearer ${token}` });
      const doFetch = (input: string, init?: RequestInit) => fetch(input, init);
      const transport = { base, doFetch, headers, renew: async () => false, repeatable: () => false };
      try {
        return await uploadForm(transport, source, upload);
      } catch (error) {
        throw error instanceof ProblemError ? refusal(error) : error;
      }
    },
    withToken: (given) => createRemote(base, fetch, close, given),
    close,
  };
}
