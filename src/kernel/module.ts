/**
 * What a module is to the kernel and to the server: plain data. The list in `modules/index.ts` is boot order,
 * migration order and the permitted direction of imports.
 */
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { AnswerShape, BodyOf, Contract, ParamsOf, QueryOf, RouteSpec } from './contract.ts';
import type { TenantTx } from './database/database.ts';
import type { ControlMigration, TenantMigration } from './database/migration.ts';
import type { Listeners } from './events.ts';
import type { AnonymousCaller, Caller, HostCaller, MemberCaller, OperatorCaller, Tenant } from './handles.ts';
import type { JobDefinitions, Schedule } from './jobs/jobs.ts';
import type { DoctorFinding } from './tenants/tenants.ts';

type CallerOf<R extends RouteSpec> = R['access']['who'] extends 'operator'
  ? OperatorCaller
  : R['access']['who'] extends 'member'
    ? MemberCaller
    : R['access']['who'] extends 'signed_in'
      ? OperatorCaller | MemberCaller
      : R['access']['who'] extends 'host'
        ? HostCaller
        : Caller | AnonymousCaller;

/** What of the HTTP request a handler may know: never headers that could choose a tenant. */
export interface RequestInfo {
  readonly id: string;
  readonly ip: string;
  readonly method: string;
  /** The path that was asked for, without query and without a trailing slash. */
  readonly path: string;
  /** One request header, lower-case name. */
  header(name: string): string | undefined;
  /** One cookie. */
  cookie(name: string): string | undefined;
  /** Raw body, for `stream` routes. */
  readonly raw: Readable;
  /** Parts of a multipart body, in order, for `multipart` routes. */
  parts(): AsyncIterable<MultipartPart>;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /**
   * For bodies that may take long to arrive, before their effect: whether the caller may still do this.
   * @throws unauthenticated, forbidden, unavailable
   */
  confirm(): Promise<void>;
}

export type MultipartPart =
  | { readonly kind: 'field'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly filename: string;
      readonly mimeType: string;
      readonly stream: Readable;
    };

export interface CookieOut {
  readonly name: string;
  readonly value: string;
  /** Seconds; 0 removes it. */
  readonly maxAge: number;
  readonly path: string;
}

type AnswerBody<S extends AnswerShape> = S extends z.ZodType
  ? z.input<S>
  : S extends null
    ? null | undefined
    : S extends 'binary'
      ? Readable | Uint8Array
      : string;

/** An answer of a route: one of the statuses that its contract names, with the body that goes with it. */
export type AnswerOf<R extends RouteSpec> = {
  [S in keyof R['answers'] & number]: {
    readonly status: S;
    readonly headers?: Readonly<Record<string, string>>;
    readonly cookies?: readonly CookieOut[];
  } & (R['answers'][S] extends null ? { readonly body?: null } : { readonly body: AnswerBody<R['answers'][S]> });
}[keyof R['answers'] & number];

export interface HandlerInput<R extends RouteSpec> {
  readonly caller: CallerOf<R>;
  readonly params: ParamsOf<R>;
  readonly query: QueryOf<R>;
  readonly body: BodyOf<R>;
  readonly request: RequestInfo;
}

export type Handler<R extends RouteSpec> = (input: HandlerInput<R>) => Promise<AnswerOf<R>>;
export type Handlers<C extends Contract> = { readonly [K in keyof C]: Handler<C[K]> };

/** Binds a contract to its handlers; one too few or too many does not compile. */
export function bind<C extends Contract>(contract: C, handlers: Handlers<C>): BoundRoutes {
  return { contract, handlers: handlers as unknown as BoundRoutes['handlers'] };
}

export interface BoundRoutes {
  readonly contract: Contract;
  readonly handlers: Readonly<Record<string, Handler<RouteSpec>>>;
}

/**
 * A step that a module adds to the creation of a company, after its database and bucket are there. Runs inside the
 * journal: idempotent, may run again after a crash. `input` comes from the sealed payload of the operation.
 */
export interface ProvisioningStep {
  readonly name: string;
  run(tenant: Tenant, input: unknown): Promise<void>;
  /** Undone when the company is purged or its creation abandoned: what the module keeps in the control database. */
  undo(tenantId: Tenant['id']): Promise<void>;
}

export interface Module {
  readonly name: string;
  readonly routes: BoundRoutes;
  readonly controlMigrations: readonly ControlMigration[];
  readonly tenantMigrations: readonly TenantMigration[];
  /** Rows every new company starts with; idempotent. */
  readonly seed?: (tx: TenantTx, tenant: Tenant) => Promise<void>;
  readonly provisioning?: readonly ProvisioningStep[];
  readonly listeners?: Listeners;
  readonly jobs?: JobDefinitions;
  readonly schedules?: readonly Schedule[];
  /** What doctor looks at in a company: missing or unreferenced objects, counts that do not add up. */
  readonly examine?: (
    tenant: Tenant,
    options: { readonly repair: boolean; readonly deep: boolean },
  ) => Promise<readonly DoctorFinding[]>;
}
