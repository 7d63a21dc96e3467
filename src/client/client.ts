/**
 * A client for every route of the contracts, for browsers and Node alike: it needs `fetch` and nothing else.
 *
 * An access token that has run out is renewed once, by whichever call meets it first; calls that meet it at the same
 * time wait for that one. A refusal is thrown as `ProblemError`.
 */
import { z } from 'zod';
import type { Contract, RouteSpec } from '../kernel/contract.ts';
import { accountsContract } from '../modules/accounts/contract.ts';
import { documentsContract } from '../modules/documents/contract.ts';
import { uploadsContract } from '../modules/documents/upload-contract.ts';
import { fleetContract } from '../modules/fleet/contract.ts';
import {
  addressOf,
  answerOf,
  type CallInput,
  type CallOutput,
  type LooseInput,
  type Optional,
  requestOf,
} from './call.ts';
import { problemErrorOf } from './problem-error.ts';
import {
  type Transfer,
  type TusOptions,
  type TusUpload,
  transferResumably,
  tusOptions,
  type Upload,
  type UploadSource,
  uploadForm,
} from './upload.ts';

/** The contracts by the module that they belong to. */
export const contracts = {
  accounts: accountsContract,
  fleet: fleetContract,
  documents: documentsContract,
  uploads: uploadsContract,
} as const;

type Contracts = typeof contracts;
type Operations = Contracts['accounts'] & Contracts['fleet'] & Contracts['documents'] & Contracts['uploads'];
export type OperationId = keyof Operations;

type Arguments<R extends RouteSpec> =
  Optional<CallInput<R>> extends true ? [input?: CallInput<R>] : [input: CallInput<R>];
type Callable<R extends RouteSpec> = (...args: Arguments<R>) => Promise<CallOutput<R>>;
type Namespace<C extends Contract> = { readonly [K in keyof C]: Callable<C[K]> };

export interface Tokens {
  readonly accessToken: string;
  /** Missing in browsers, where it is a cookie that no script sees. */
  readonly refreshToken?: string | undefined;
}

export interface ClientOptions {
  /** `https://host`, without a path; '' in a browser for the page's own server. */
  readonly baseUrl: string;
  readonly fetch?: (input: string, init?: RequestInit) => Promise<Response>;
  readonly tokens?: Tokens;
  /** Told of every new pair, and of undefined when the session has ended, to keep them. */
  readonly onTokens?: (tokens: Tokens | undefined) => void;
  /** Refresh tokens as cookies (`X-Strongroom-Client: web`). */
  readonly web?: boolean;
}

export interface Client {
  readonly accounts: Namespace<Contracts['accounts']>;
  readonly fleet: Namespace<Contracts['fleet']>;
  readonly documents: Namespace<Contracts['documents']> & {
    /** One file, streamed, with progress. */
    upload(source: UploadSource, options: Upload): Promise<CallOutput<Contracts['documents']['uploadDocument']>>;
    /** Options for `tus-js-client`: resumable uploads. */
    tus(upload: TusUpload): TusOptions;
    /** One attempt at a resumable upload, begun or gone on with. Gives the id of the document. */
    transfer(source: Blob, transfer: Transfer): Promise<string>;
  };
  readonly uploads: Namespace<Contracts['uploads']>;
  /** Any operation by its id. @throws ProblemError */
  call<K extends OperationId>(operation: K, ...args: Arguments<Operations[K]>): Promise<CallOutput<Operations[K]>>;
  /** The answer itself, for its headers and bytes. @throws ProblemError */
  open<K extends OperationId>(operation: K, ...args: Arguments<Operations[K]>): Promise<Response>;
  readonly tokens: Tokens | undefined;
  /** Signs in, or goes on as somebody else; undefined forgets. */
  setTokens(tokens: Tokens | undefined): void;
}

const routes = Object.assign({}, ...Object.values(contracts)) as Readonly<Record<string, RouteSpec>>;

/** Operations whose answer carries tokens, which the client then goes on with. */
const signsIn: ReadonlySet<string> = new Set(
  Object.entries(routes)
    .filter(([, route]) =>
      Object.values(route.answers).some((shape) => shape instanceof z.ZodObject && 'access_token' in shape.shape),
    )
    .map(([name]) => name),
);

export function createClient(options: ClientOptions): Client {
  const doFetch = options.fetch ?? ((input: string, init?: RequestInit) => globalThis.fetch(input, init));
  const base = options.baseUrl.replace(/\/+$/, '');
  let tokens = options.tokens;
  let renewing: Promise<boolean> | undefined;
  /** Counts who came: a call that one began is never repeated with the token of the next. */
  let bearer = 0;

  function setTokens(next: Tokens | undefined): void {
    bearer += 1;
    keepTokens(next);
  }

  function keepTokens(next: Tokens | undefined): void {
    tokens = next;
    options.onTokens?.(next);
  }

  function authorized(headers: Record<string, string>): Record<string, string> {
    const sent = { ...headers };
    if (tokens !== undefined) sent.authorization ??= `Bearer ${tokens.accessToken}`;
    if (options.web === true) sent['x-strongroom-client'] = 'web';
    return sent;
  }

  async function fetchRoute(route: RouteSpec, input: LooseInput): Promise<Response> {
    const { init, headers } = requestOf(route, input);
    return await doFetch(base + addressOf(route, input), { ...init, headers: authorized(headers) });
  }

  /** Whether there is a new pair. One renewal serves every call that waits for one. */
  function renew(): Promise<boolean> {
    renewing ??= renewOnce().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  async function renewOnce(): Promise<boolean> {
    const refreshToken = tokens?.refreshToken;
    if (refreshToken === undefined && options.web !== true) return false;
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (options.web === true) headers['x-strongroom-client'] = 'web';
    const body = JSON.stringify(refreshToken === undefined ? {} : { refresh_token: refreshToken });
    const answer = await doFetch(base + routes.refresh!.path, { method: 'POST', headers, body });
    if (!answer.ok) {
      // Another kind of failure (the server is down) says nothing about the session.
      if (answer.status === 401) setTokens(undefined);
      return false;
    }
    takeTokens(await answer.json(), keepTokens);
    return true;
  }

  function takeTokens(body: unknown, take: typeof setTokens): void {
    const given = body as { access_token?: string; refresh_token?: string } | undefined;
    if (typeof given?.access_token !== 'string') return;
    take({ accessToken: given.access_token, refreshToken: given.refresh_token });
  }

  async function open(operation: string, input: LooseInput = {}): Promise<Response> {
    const route = routes[operation];
    if (route === undefined) throw new TypeError(`There is no operation ${operation}.`);
    const used = tokens?.accessToken;
    const asked = bearer;
    let answer = await fetchRoute(route, input);
    if (answer.status === 401 && used !== undefined && canRepeat(operation, input)) {
      // Another call may have renewed the token meanwhile; then this one only tries again.
      const renewed = tokens?.accessToken !== used ? tokens !== undefined : await renew();
      if (renewed && bearer === asked) {
        await answer.body?.cancel();
        answer = await fetchRoute(route, input);
      }
    }
    if (answer.ok) return answer;
    throw await problemErrorOf(answer);
  }

  async function call(operation: string, input: LooseInput = {}): Promise<unknown> {
    const body = await answerOf(routes[operation]!, await open(operation, input));
    if (signsIn.has(operation)) takeTokens(body, setTokens);
    if (operation === 'logout') setTokens(undefined);
    return body;
  }

  const namespace = (contract: Contract) =>
    Object.fromEntries(Object.keys(contract).map((name) => [name, (input?: LooseInput) => call(name, input)]));
  const transport = { base, doFetch, headers: () => authorized({}), renew, repeatable: () => tokens !== undefined };
  const client = {
    accounts: namespace(contracts.accounts),
    fleet: namespace(contracts.fleet),
    documents: {
      ...namespace(contracts.documents),
      upload: (source: UploadSource, upload: Upload) => uploadForm(transport, source, upload),
      tus: (upload: TusUpload) => tusOptions(transport, upload),
      transfer: (source: Blob, transfer: Transfer) => transferResumably(transport, source, transfer),
    },
    uploads: namespace(contracts.uploads),
    call,
    open,
    get tokens() {
      return tokens;
    },
    setTokens,
  };
  // Made from the contracts by name, which the type states member by member.
  return client as unknown as Client;
}

/** A refusal of these is an answer, not a token that ran out; a stream can be sent only once. */
function canRepeat(operation: string, input: LooseInput): boolean {
  return !signsIn.has(operation) && !(input.body instanceof ReadableStream);
}
