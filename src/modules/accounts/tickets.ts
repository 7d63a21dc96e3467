/**
 * Tickets: what a browser sends for a file that it fetches by itself (a link, an image), where no header can be set.
 * One is good for one path, one session and one minute, and only where a route says that it takes tickets. It says who
 * asks; whether session, person and company still hold is read on every use, as for access tokens.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { unauthenticated } from '../../kernel/errors.ts';
import { isId, type TenantId } from '../../kernel/ids.ts';
import type { Secrets } from '../../kernel/secrets.ts';

/** Life in seconds. */
export const ticketSeconds = 60;
const longest = 2_048;

export interface TicketClaims {
  readonly sub: string;
  readonly company_id: TenantId;
  readonly role: string;
  readonly sid: string;
}

export interface Tickets {
  issue(claims: TicketClaims, path: string): string;
  /** @throws unauthenticated `invalid_token` whatever is wrong with it, also for another path */
  verify(ticket: string, path: string): TicketClaims;
}

const refused = () => unauthenticated('This link has expired. Ask for it again.', 'invalid_token');

export function createTickets(secrets: Pick<Secrets, 'digest'>, clock: Clock): Tickets {
  const seal = (payload: string) => Buffer.from(secrets.digest('accounts:ticket', payload), 'hex');
  return {
    issue({ sub, company_id, role, sid }, path) {
      const claims = { sub, company_id, role, sid, path, exp: clock.now() + ticketSeconds * 1_000 };
      const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
      return `${payload}.${seal(payload).toString('base64url')}`;
    },
    verify(ticket, path) {
      if (ticket.length > longest) throw refused();
      const [payload = '', given = '', ...rest] = ticket.split('.');
      const expected = seal(payload);
      const mac = Buffer.from(given, 'base64url');
      if (rest.length > 0 || mac.length !== expected.length || !timingSafeEqual(mac, expected)) throw refused();
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as TicketClaims & {
        readonly path: string;
        readonly exp: number;
      };
      if (claims.path !== path || claims.exp <= clock.now() || !isId('company', claims.company_id)) throw refused();
      return claims;
    },
  };
}
