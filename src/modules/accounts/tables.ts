/**
 * Tables of accounts, and the events it records.
 *
 * Names, addresses, password hashes and sessions of a company's people stand in the company's own database and nowhere
 * else. The control database holds operators, and of people only keyed digests of sign-in names.
 */

export interface UserTable {
  id: string;
  /** Lower case; null for those who chose none and sign in by address. */
  username: string | null;
  email: string;
  full_name: string;
  role: string;
  /** PHC text (argon2) or an imported bcrypt hash; null until a first password is set. */
  password_hash: string | null;
  is_active: number;
  created_at: string;
  updated_at: string;
  last_sign_in_at: string | null;
}

export interface SessionTable {
  id: string;
  user_id: string;
  client: 'api' | 'web';
  ip: string | null;
  user_agent: string | null;
  created_at: string;
  last_seen_at: string;
  /** Moves forward with every refresh. */
  expires_at: string;
  ended_at: string | null;
  end_reason: string | null;
}

/** All tokens of one session are one family. */
export interface RefreshTokenTable {
  /** SHA-256 of the token, hex. */
  hash: string;
  session_id: string;
  created_at: string;
  expires_at: string;
  used_at: string | null;
}

export interface InvitationTable {
  id: string;
  email: string;
  full_name: string;
  role: string;
  token_hash: string;
  /** `expired` is written only where a new invitation takes the place; otherwise it follows from `expires_at`. */
  status: 'pending' | 'accepted' | 'cancelled' | 'expired';
  invited_by: string | null;
  invited_by_kind: string;
  created_at: string;
  expires_at: string;
  accepted_at: string | null;
  user_id: string | null;
}

export interface PasswordResetTable {
  token_hash: string;
  user_id: string;
  created_at: string;
  expires_at: string;
  used_at: string | null;
}

export interface OperatorTable {
  id: string;
  username: string;
  email: string;
  full_name: string;
  password_hash: string;
  is_active: number;
  created_at: string;
  updated_at: string;
  last_sign_in_at: string | null;
}

/** One row, under a constant key: the way to the first operator, open or closed for ever. */
export interface SetupTokenTable {
  slot: string;
  token_hash: string | null;
  created_at: string;
  completed_at: string | null;
}

/**
 * Where a sign-in name may be known. A hint: what it says is checked in the tenant at every use. `inactive` comes last
 * when no company is named.
 */
export interface DirectoryTable {
  /** Keyed digest of the name in lower case. */
  digest: string;
  tenant_id: string;
  user_id: string;
  state: 'pending' | 'confirmed' | 'inactive';
  accepted_at: string;
}

/** Memberships with the same `person_id` were proven to be one person's, by both passwords. */
export interface PersonLinkTable {
  tenant_id: string;
  user_id: string;
  person_id: string;
  linked_at: string;
}

declare module '../../kernel/database/tables.ts' {
  interface TenantTables {
    users: UserTable;
    sessions: SessionTable;
    refresh_tokens: RefreshTokenTable;
    invitations: InvitationTable;
    password_resets: PasswordResetTable;
  }
  interface ControlTables {
    operators: OperatorTable;
    // Operators' own, of the same form as a company's, so that one piece of code keeps both.
    sessions: SessionTable;
    refresh_tokens: RefreshTokenTable;
    password_resets: PasswordResetTable;
    setup_tokens: SetupTokenTable;
    directory: DirectoryTable;
    person_links: PersonLinkTable;
  }
}

declare module '../../kernel/events.ts' {
  interface EventPayloads {
    'user.created': { readonly user_id: string; readonly role: string };
    'user.deactivated': { readonly user_id: string };
    'user.reactivated': { readonly user_id: string };
    'user.role_changed': { readonly user_id: string; readonly from: string; readonly to: string };
    'user.renamed': { readonly user_id: string };
    'user.invited': { readonly invitation_id: string; readonly role: string };
  }
}
