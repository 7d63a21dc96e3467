/** How people, companies and tokens look in answers: explicit lists of fields, so that no stored one slips out. */
import { isoTime } from '../../kernel/clock.ts';
import type { MemberCaller, OperatorCaller, Tenant } from '../../kernel/handles.ts';
import { operatorPermissions, operatorRole, type Preset, roleDefinition } from '../../kernel/roles.ts';
import type {
  CompanyRef,
  InvitationAnswer,
  OperatorAnswer,
  SessionAnswer,
  SignedInUser,
  UserAnswer,
} from './contract.ts';
import type { UserRow } from './repository.ts';
import type { InvitationTable, OperatorTable, SessionTable } from './tables.ts';

export function companyRef(tenant: Pick<Tenant, 'id' | 'name' | 'slug'>): CompanyRef {
  return { id: tenant.id, name: tenant.name, slug: tenant.slug };
}

export function signedInUser(
  preset: Preset,
  user: Pick<UserRow, 'id' | 'username' | 'email' | 'full_name' | 'role'>,
): SignedInUser {
  return {
    id: user.id,
    username: user.username ?? user.email,
    email: user.email,
    full_name: user.full_name,
    role: user.role,
    permissions: [...(roleDefinition(preset, user.role)?.permissions ?? [])],
  };
}

export function signedInOperator(
  operator: Pick<OperatorTable, 'id' | 'username' | 'email' | 'full_name'>,
): SignedInUser {
  return {
    id: operator.id,
    username: operator.username,
    email: operator.email,
    full_name: operator.full_name,
    role: operatorRole,
    permissions: [...operatorPermissions],
  };
}

export function callerAnswer(caller: OperatorCaller | MemberCaller): {
  user: SignedInUser;
  company: CompanyRef | null;
} {
  if (caller.kind === 'operator') {
    const { id, username, email } = caller.operator;
    const fullName = caller.operator.fullName ?? username;
    return { user: signedInOperator({ id, username, email, full_name: fullName }), company: null };
  }
  const { user, tenant } = caller;
  return {
    user: signedInUser(tenant.preset, { ...user, full_name: user.fullName }),
    company: companyRef(tenant),
  };
}

export function userAnswer(user: UserRow): UserAnswer {
  return {
    id: user.id,
    username: user.username ?? user.email,
    email: user.email,
    full_name: user.full_name,
    role: user.role,
    is_active: user.is_active === 1,
    created_at: user.created_at,
    updated_at: user.updated_at,
    last_sign_in_at: user.last_sign_in_at,
  };
}

export function operatorAnswer(operator: OperatorTable): OperatorAnswer {
  return {
    id: operator.id,
    username: operator.username,
    email: operator.email,
    full_name: operator.full_name,
    role: operatorRole,
    is_active: operator.is_active === 1,
    created_at: operator.created_at,
    updated_at: operator.updated_at,
    last_sign_in_at: operator.last_sign_in_at,
  };
}

export function sessionAnswer(session: SessionTable, currentId: string): SessionAnswer {
  return {
    id: session.id,
    client: session.client,
    ip: session.ip,
    user_agent: session.user_agent,
    created_at: session.created_at,
    last_seen_at: session.last_seen_at,
    expires_at: session.expires_at,
    current: session.id === currentId,
  };
}

export function invitationAnswer(row: InvitationTable, now: number): InvitationAnswer {
  const over = row.status === 'pending' && row.expires_at <= isoTime(now);
  return {
    id: row.id,
    email: row.email,
    full_name: row.full_name,
    role: row.role,
    status: over ? 'expired' : row.status,
    invited_by: row.invited_by,
    created_at: row.created_at,
    expires_at: row.expires_at,
  };
}
