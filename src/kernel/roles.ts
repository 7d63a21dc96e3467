/**
 * The policy table: which roles there are, how they rank, and what each may do. Default-deny: what is not written here
 * is not allowed. Browser-safe.
 *
 * A company chooses its preset when it is created. Inside one company ranks compare by `>`; "only below yourself"
 * governs inviting, changing and disabling people.
 */

export const permissions = [
  'MANAGE_COMPANIES',
  'MANAGE_SYSTEM_USERS',
  'MANAGE_COMPANY_USERS',
  'MANAGE_USERS',
  'MANAGE_CUSTOMERS',
  'UPLOAD_DOCUMENTS',
  'VIEW_ALL_DOCUMENTS',
  'VIEW_DOCUMENTS',
  'VIEW_OWN_DOCUMENTS',
] as const;
export type Permission = (typeof permissions)[number];

/** Which documents, by the present rank of their owner: every one, own and those of lower ranks, own alone. */
export type Reach = 'all' | 'lower' | 'own';

export interface RoleDefinition {
  readonly rank: number;
  readonly title: string;
  readonly permissions: readonly Permission[];
  /** Roles that this one may give in an invitation or a change of role. */
  readonly grants: readonly string[];
  /** Documents seen without a share. */
  readonly sees: Reach;
  /** Documents with which everything may be done (an owner may always). */
  readonly changes: Reach;
}

export const companyRoles = {
  hr_admin: {
    rank: 40,
    title: 'HR admin',
    permissions: ['MANAGE_COMPANY_USERS', 'UPLOAD_DOCUMENTS', 'VIEW_ALL_DOCUMENTS'],
    grants: ['hr_manager', 'employee', 'customer'],
    sees: 'all',
    changes: 'all',
  },
  hr_manager: {
    rank: 30,
    title: 'HR manager',
    permissions: ['MANAGE_USERS', 'UPLOAD_DOCUMENTS', 'VIEW_DOCUMENTS'],
    grants: ['employee', 'customer'],
    sees: 'lower',
    changes: 'lower',
  },
  employee: {
    rank: 20,
    title: 'Employee',
    permissions: ['MANAGE_CUSTOMERS', 'UPLOAD_DOCUMENTS', 'VIEW_OWN_DOCUMENTS'],
    grants: ['customer'],
    sees: 'own',
    changes: 'own',
  },
  customer: {
    rank: 10,
    title: 'Customer',
    permissions: ['VIEW_OWN_DOCUMENTS'],
    grants: [],
    sees: 'own',
    changes: 'own',
  },
} as const satisfies Record<string, RoleDefinition>;

export const workspaceRoles = {
  admin: {
    rank: 40,
    title: 'Admin',
    permissions: ['MANAGE_COMPANY_USERS', 'UPLOAD_DOCUMENTS', 'VIEW_ALL_DOCUMENTS'],
    grants: ['admin', 'user', 'viewer'],
    sees: 'all',
    changes: 'all',
  },
  user: {
    rank: 20,
    title: 'User',
    permissions: ['UPLOAD_DOCUMENTS', 'VIEW_ALL_DOCUMENTS'],
    grants: [],
    sees: 'all',
    changes: 'own',
  },
  viewer: {
    rank: 10,
    title: 'Viewer',
    permissions: ['VIEW_ALL_DOCUMENTS'],
    grants: [],
    sees: 'all',
    changes: 'own',
  },
} as const satisfies Record<string, RoleDefinition>;

export const presets = { company: companyRoles, workspace: workspaceRoles } as const;
export type Preset = keyof typeof presets;
export type Role = keyof typeof companyRoles | keyof typeof workspaceRoles;

export const companyRoleNames = Object.keys(companyRoles) as [Role, ...Role[]];
export const workspaceRoleNames = Object.keys(workspaceRoles) as [Role, ...Role[]];
export const roleNames = [...companyRoleNames, ...workspaceRoleNames] as [Role, ...Role[]];

/** The single role of operators, who belong to no company. */
export const operatorRole = 'system_admin';
export const operatorPermissions: readonly Permission[] = ['MANAGE_COMPANIES', 'MANAGE_SYSTEM_USERS'];

/** The definition of a role within its preset; undefined where the preset has no such role. */
export function roleDefinition(preset: Preset, role: string): RoleDefinition | undefined {
  const roles: Record<string, RoleDefinition> = presets[preset];
  return Object.hasOwn(roles, role) ? roles[role] : undefined;
}

/** The role that has every right in a company, and the one that open registration gives. */
export const highestRole: Record<Preset, Role> = { company: 'hr_admin', workspace: 'admin' };
export const lowestRole: Record<Preset, Role> = { company: 'customer', workspace: 'viewer' };
