/** What the fleet needs of other parts: stated here so that it can be read in one place. */
import type { Actor, Tenant } from '../../kernel/handles.ts';
import type { TenantId } from '../../kernel/ids.ts';

/** Counts of one company's documents; given by the documents module, which stands to the right of this one. */
export interface DocumentStats {
  readonly documents: number;
  readonly files: number;
  readonly bytes: number;
  /** ISO time of the last change, or null. */
  readonly lastActivityAt: string | null;
}

/** An invitation with its one-time link. */
export interface Invitation {
  readonly id: string;
  readonly email: string;
  readonly fullName: string;
  readonly role: string;
  readonly status: string;
  readonly expiresAt: string;
  readonly token: string;
}

/** A person to import; `passwordHash` is bcrypt or argon2 in its usual text form. */
export interface ImportedPerson {
  readonly email: string;
  readonly fullName: string;
  readonly role: string;
  readonly username?: string;
  readonly passwordHash?: string;
}

export interface AccountsPort {
  /** Users who are active, and when one last did something. */
  activity(tenant: Tenant): Promise<{ users: number; lastActivityAt: string | null }>;
  inviteAdmin(tenant: Tenant, person: { email: string; full_name: string }, actor: Actor): Promise<Invitation>;
  /** The token that people get, made from the random part and the company it belongs to. */
  invitationToken(tenantId: TenantId, secret: string): string;
  /** The address of an invitation: `<base>/invitation/<token>`. */
  invitationUrl(token: string): string;
  createOperator(
    input: { username: string; email: string; password: string },
    actor: Actor,
  ): Promise<{ id: string; username: string; email: string }>;
  /** Adds one person, or says that exactly this person is there already. @throws StrongroomError for a bad row */
  importPerson(tenant: Tenant, person: ImportedPerson, actor: Actor): Promise<{ id: string; created: boolean }>;
}

export interface FleetParts {
  readonly accounts: AccountsPort;
  /** Read when it is needed, so that a module that is made later can set it. */
  stats?: (tenant: Tenant) => Promise<DocumentStats>;
}
