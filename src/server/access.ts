/**
 * Who may call what, decided before any look-up and before the body is read: no token 401, the wrong kind of caller or
 * a missing permission 403, a host route anywhere but on the host's socket 404.
 */
import type { Access } from '../kernel/contract.ts';
import { forbidden, isStrongroomError, unauthenticated } from '../kernel/errors.ts';
import type { AnonymousCaller, Caller, HostCaller, MemberCaller, OperatorCaller } from '../kernel/handles.ts';
import { roleDefinition } from '../kernel/roles.ts';
import { unknownPath } from './refusal.ts';

export interface RequestSource {
  readonly ip: string;
  readonly requestId: string;
}

/** What the server needs of the accounts module: the caller whom a token proves. */
export interface Authenticator {
  /** @throws unauthenticated, unavailable */
  authenticate(token: string, source: RequestSource): Promise<OperatorCaller | MemberCaller>;
  /** The caller whom a ticket for this path proves. @throws unauthenticated, unavailable */
  authenticateTicket(ticket: string, path: string, source: RequestSource): Promise<MemberCaller>;
  /**
   * The same caller as things stand now, for requests that take long. The life of the access token counts no more.
   * @throws unauthenticated, unavailable
   */
  confirm(caller: OperatorCaller | MemberCaller, source: RequestSource): Promise<OperatorCaller | MemberCaller>;
}

export const anonymous: AnonymousCaller = { kind: 'anonymous', actor: { kind: 'anonymous' } };
export const hostCaller: HostCaller = { kind: 'host', actor: { kind: 'host' } };

/**
 * The token of `Authorization: Bearer …`; undefined without the header.
 * @throws unauthenticated `invalid_token` for any other scheme
 */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const found = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header);
  if (found === null) throw unauthenticated('Send a valid access token as a bearer token.', 'invalid_token');
  return found[1];
}

/** Who calls. @throws unauthenticated, not_found (host routes elsewhere), unavailable */
export async function identify(
  access: Access,
  authorization: string | undefined,
  viaHost: boolean,
  authenticator: Authenticator,
  source: RequestSource,
): Promise<Caller> {
  if (access.who === 'host') {
    if (!viaHost) throw unknownPath();
    return hostCaller;
  }
  if (access.who === 'anyone') return await visitor(authorization, authenticator, source);
  const token = bearerToken(authorization);
  if (token === undefined) throw unauthenticated();
  return await authenticator.authenticate(token, source);
}

/** Where no token is needed, one that proves nothing is as good as none. */
async function visitor(
  authorization: string | undefined,
  authenticator: Authenticator,
  source: RequestSource,
): Promise<Caller> {
  if (authorization === undefined) return anonymous;
  try {
    const token = bearerToken(authorization);
    return token === undefined ? anonymous : await authenticator.authenticate(token, source);
  } catch (error) {
    if (isStrongroomError(error)) return anonymous;
    throw error;
  }
}

/** Whether this caller may use a route of this access. @throws forbidden */
export function allow(access: Access, caller: Caller): void {
  if (access.who === 'operator' && caller.kind !== 'operator') throw forbidden('Only operators may do this.');
  if (access.who !== 'member') return;
  if (caller.kind !== 'member') throw forbidden('Only users of a company may do this.');
  const held = roleDefinition(caller.tenant.preset, caller.user.role)?.permissions ?? [];
  if (!access.anyOf.some((permission) => held.includes(permission))) {
    throw forbidden('Your role does not allow this.');
  }
}
