/**
 * How a module states its routes, once, for everybody: the server binds the contract, the client and the web app are
 * typed by it, OpenAPI, permissions, error codes and the reference pages are made from it. Browser-safe: imports zod
 * and nothing of Node.
 *
 * `bind` in `module.ts` makes a missing or an extra handler a compile error, so a route without its contract, and a
 * contract without its route, do not compile.
 */
import { z } from 'zod';
import type { Permission } from './roles.ts';

/**
 * Who may call. Checked before any look-up and before the body is read.
 * - `anyone`: no token needed; one that is sent and valid is known to the handler (`caller` may be anonymous).
 * - `operator`: system users only.
 * - `member`: users of a company who have at least one of `anyOf`.
 * - `signed_in`: operators and members alike.
 * - `host`: only over the data folder's own socket, never over the network, and not in the OpenAPI document.
 */
export type Access =
  | { readonly who: 'anyone' }
  | { readonly who: 'operator' }
  | { readonly who: 'member'; readonly anyOf: readonly Permission[] }
  | { readonly who: 'signed_in' }
  | { readonly who: 'host' };

export const anyone: Access & { who: 'anyone' } = { who: 'anyone' };
export const operator: Access & { who: 'operator' } = { who: 'operator' };
export const signedIn: Access & { who: 'signed_in' } = { who: 'signed_in' };
export const host: Access & { who: 'host' } = { who: 'host' };
export function member(...anyOf: Permission[]): Access & { who: 'member' } {
  return { who: 'member', anyOf };
}
/** Every role of every preset holds at least one of these. */
export const everyMember = member('VIEW_OWN_DOCUMENTS', 'VIEW_DOCUMENTS', 'VIEW_ALL_DOCUMENTS');

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';

/**
 * How the body arrives. `json` (default where a body shape is given), `json_or_form`, `form`
 * (application/x-www-form-urlencoded), `multipart` (the handler reads parts), `stream` (the handler reads raw bytes).
 */
export type BodyKind = 'json' | 'json_or_form' | 'form' | 'multipart' | 'stream';

/** What an answer may be: a shape, `null` for no body, `'binary'` for bytes, `'text'`, or `'html'`. */
export type AnswerShape = z.ZodType | null | 'binary' | 'text' | 'html';

export interface RouteSpec {
  readonly method: Method;
  /** In full, with `/api`; parameters as `{id}`. `/api/v1/…` is served too, and not written. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly bodyKind?: BodyKind;
  readonly answers: Readonly<Record<number, AnswerShape>>;
  /** Codes of refusals beyond those that every route can give. */
  readonly errors?: readonly string[];
  /** A POST that creates: honours Idempotency-Key. `sealed` keeps the stored answer encrypted (it holds secrets). */
  readonly creates?: 'plain' | 'sealed';
  /** Sign-in and its like: counts failures per address and per account. */
  readonly guarded?: boolean;
  /**
   * What browsers fetch by themselves, by a link, an image or a form, and what changes nothing: takes the ticket cookie
   * (`POST /api/auth/ticket`) for a token too.
   */
  readonly ticket?: boolean;
  /** Served only under this exact path, without an `/api/v1` twin (`/health`, `/docs`). */
  readonly single?: boolean;
}

export type Contract = Readonly<Record<string, RouteSpec>>;

/** States one module's routes, keeping the literal types. Keys are the operation ids (`uploadDocument`). */
export function contract<const C extends Contract>(routes: C): C {
  return routes;
}

type Shape<T> = T extends z.ZodType ? z.output<T> : undefined;
type InputShape<T> = T extends z.ZodType ? z.input<T> : undefined;
/** What a handler receives for a route, parsed. */
export type ParamsOf<R extends RouteSpec> = Shape<R['params']>;
export type QueryOf<R extends RouteSpec> = Shape<R['query']>;
export type BodyOf<R extends RouteSpec> = Shape<R['body']>;
/** What a client sends for a route. */
export type ParamsIn<R extends RouteSpec> = InputShape<R['params']>;
export type QueryIn<R extends RouteSpec> = InputShape<R['query']>;
export type BodyIn<R extends RouteSpec> = InputShape<R['body']>;

// --- Shapes that many modules share ----------------------------------------------------------------------------------

/** A problem document (RFC 9457), as every refusal is answered. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    instance: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .loose();
export type Problem = z.output<typeof Problem>;

/** `{ items, next_cursor, total? }`. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable(), total: z.number().int().optional() });
}

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
/** A boolean in a query string: exactly `true` or `false`. */
export const queryFlag = flag;

/** `limit`, `cursor`, `total` of a list, to be spread into a query's shape. */
export const paging = {
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/, 'a whole number from 1 to 200')
    .transform(Number)
    .pipe(z.number().max(200, 'a whole number from 1 to 200'))
    .optional(),
  cursor: z.string().min(1).max(1_000).optional(),
  total: flag.optional(),
};

/** A path parameter that names a thing. Any text is accepted here: what is malformed is answered 404, as unknown is. */
export const IdParam = z.string().max(1_000);

/** Times in answers. */
export const Time = z.string().describe('ISO 8601, UTC');

/** One row of an audit trail, a company's or the fleet's. */
export const AuditRow = z.object({
  id: z.string(),
  seq: z.number().int(),
  at: Time,
  actor: z.string(),
  action: z.string(),
  target: z.string().nullable(),
  outcome: z.string(),
  details: z.record(z.string(), z.unknown()),
  ip: z.string().nullable(),
  request_id: z.string().nullable(),
});

/** What verifying a trail found. */
export const AuditVerification = z.object({
  ok: z.boolean(),
  rows: z.number().int(),
  sealed: z.number().int(),
  unsealed: z.number().int(),
  first_bad: z.object({ seq: z.number().int(), reason: z.string() }).optional(),
});
export type AuditVerification = z.output<typeof AuditVerification>;
