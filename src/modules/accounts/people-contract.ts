/**
 * People of a company, their invitations and roles; the own company; its audit trail; operators. Browser-safe.
 */
import { z } from 'zod';
import {
  AuditRow,
  AuditVerification,
  anyone,
  contract,
  everyMember,
  IdParam,
  listOf,
  member,
  operator,
  paging,
  queryFlag,
  Time,
} from '../../kernel/contract.ts';
import { permissions, roleNames } from '../../kernel/roles.ts';
import { CompanyNameText, EmailText, FullNameText, PasswordText, text, UsernameText } from '../../kernel/shapes.ts';
import { CompanyRef, LoginAnswer, OpaqueToken } from './auth-contract.ts';

const RoleText = z.enum(roleNames);
const params = z.object({ id: IdParam });
const manager = member('MANAGE_COMPANY_USERS', 'MANAGE_USERS', 'MANAGE_CUSTOMERS');
const companyAdmin = member('MANAGE_COMPANY_USERS');
const passwordErrors = ['password_common', 'password_personal'] as const;

export const InvitationAnswer = z.object({
  id: z.string(),
  email: z.string(),
  full_name: z.string(),
  role: z.string(),
  status: z.enum(['pending', 'accepted', 'cancelled', 'expired']),
  invited_by: z.string().nullable().describe('Id of who invited'),
  created_at: Time,
  expires_at: Time,
});
export type InvitationAnswer = z.output<typeof InvitationAnswer>;

export const NewInvitationAnswer = InvitationAnswer.extend({ setup_url: z.string(), token: z.string() });
export type NewInvitationAnswer = z.output<typeof NewInvitationAnswer>;

export const UserAnswer = z.object({
  id: z.string(),
  username: z.string(),
  email: z.string(),
  full_name: z.string(),
  role: z.string(),
  is_active: z.boolean(),
  created_at: Time,
  updated_at: Time,
  last_sign_in_at: Time.nullable(),
});
export type UserAnswer = z.output<typeof UserAnswer>;

const Usage = z.object({
  users: z.number().int().describe('Active people'),
  documents: z.number().int(),
  files: z.number().int(),
  bytes: z.number().int().describe('Logical bytes, which the quota counts'),
});

export const OwnCompany = z.object({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  email: z.string(),
  roles: z.enum(['company', 'workspace']),
  registration: z.enum(['open', 'closed']),
  quota_bytes: z.number().int().nullable(),
  usage: Usage,
  created_at: Time,
});
export type OwnCompany = z.output<typeof OwnCompany>;

export const OperatorAnswer = z.object({
  id: z.string(),
  username: z.string(),
  email: z.string(),
  full_name: z.string(),
  role: z.literal('system_admin'),
  is_active: z.boolean(),
  created_at: Time,
  updated_at: Time,
  last_sign_in_at: Time.nullable(),
});
export type OperatorAnswer = z.output<typeof OperatorAnswer>;

const userSorts = ['created_at', '-created_at', 'full_name', '-full_name', 'email', '-email'] as const;
export type UserSort = (typeof userSorts)[number];

const invitationRoutes = contract({
  invite: {
    method: 'POST',
    path: '/api/user-management/invite',
    summary: 'Invite a person; link and token are in this answer alone',
    access: manager,
    body: z.strictObject({ email: EmailText, full_name: FullNameText, role: RoleText }),
    answers: { 201: NewInvitationAnswer },
    errors: ['role_not_granted', 'already_user', 'already_invited', 'too_many_invitations'],
    creates: 'sealed',
  },
  listInvitations: {
    method: 'GET',
    path: '/api/user-management/invitations',
    summary: 'Invitations to lower roles (administrators: all), newest first',
    access: manager,
    query: z.object({ ...paging, status: z.enum(['pending', 'accepted', 'cancelled', 'expired']).optional() }),
    answers: { 200: listOf(InvitationAnswer) },
  },
  cancelInvitation: {
    method: 'DELETE',
    path: '/api/user-management/invitations/{id}',
    summary: 'Cancel an invitation; its link is dead',
    access: manager,
    params,
    answers: { 204: null },
    errors: ['invitation_used'],
  },
  resendInvitation: {
    method: 'POST',
    path: '/api/user-management/invitations/{id}/resend',
    summary: 'A new link for an invitation; the old one is dead',
    access: manager,
    params,
    answers: { 200: NewInvitationAnswer },
    errors: ['invitation_used', 'already_user', 'already_invited', 'role_not_granted', 'too_many_invitations'],
    creates: 'sealed',
  },
  getInvitation: {
    method: 'GET',
    path: '/api/user-management/invitation/{token}',
    summary: 'What an invitation is for',
    access: anyone,
    params: z.object({ token: OpaqueToken }),
    answers: {
      200: z.object({
        company: CompanyRef.pick({ name: true }),
        email: z.string(),
        full_name: z.string(),
        role: z.string(),
        expires_at: Time,
      }),
    },
    errors: ['invitation_over', 'too_many_attempts'],
    guarded: true,
  },
  acceptInvitation: {
    method: 'POST',
    path: '/api/user-management/setup-password',
    summary: 'Accept an invitation: set a password, and be signed in',
    access: anyone,
    body: z.strictObject({ token: OpaqueToken, password: PasswordText, username: UsernameText.optional() }),
    answers: { 201: LoginAnswer },
    errors: ['invitation_over', 'username_taken', 'already_user', 'too_many_attempts', ...passwordErrors],
    creates: 'sealed',
    guarded: true,
  },
});

const userRoutes = contract({
  listUsers: {
    method: 'GET',
    path: '/api/user-management/users',
    summary: 'Oneself and every lower rank (administrators: everybody)',
    access: everyMember,
    query: z.object({
      ...paging,
      q: text({ min: 0, max: 200 }).optional().describe('Part of name, user name or e-mail, taken literally'),
      role: RoleText.optional(),
      is_active: queryFlag.optional(),
      sort: z.enum(userSorts).optional(),
    }),
    answers: { 200: listOf(UserAnswer) },
  },
  getUser: {
    method: 'GET',
    path: '/api/user-management/users/{id}',
    summary: 'One person',
    access: everyMember,
    params,
    answers: { 200: UserAnswer },
  },
  updateUser: {
    method: 'PATCH',
    path: '/api/user-management/users/{id}',
    summary: 'Change name, role or state of a person of lower rank',
    access: manager,
    params,
    body: z.strictObject({
      full_name: FullNameText.optional(),
      role: RoleText.optional(),
      is_active: z.boolean().optional(),
    }),
    answers: { 200: UserAnswer },
    errors: ['not_below_you', 'role_not_granted'],
  },
  deactivateUser: {
    method: 'DELETE',
    path: '/api/user-management/users/{id}',
    summary: 'Deactivate a person of lower rank; every session of theirs ends',
    access: manager,
    params,
    answers: { 204: null },
    errors: ['not_below_you'],
  },
  sendPasswordReset: {
    method: 'POST',
    path: '/api/user-management/users/{id}/reset-password',
    summary: 'Send a person of lower rank a link to reset their password',
    description: 'By mail where it is set up; else the link is in this answer alone. Nobody sets another’s password.',
    access: manager,
    params,
    answers: {
      202: z.object({
        sent: z.boolean().describe('By mail'),
        expires_at: Time,
        reset_url: z.string().optional(),
        token: z.string().optional(),
      }),
    },
    errors: ['not_below_you', 'too_many_invitations'],
  },
  listRoles: {
    method: 'GET',
    path: '/api/user-management/roles',
    summary: 'Roles of this company, highest first',
    access: everyMember,
    answers: {
      200: listOf(
        z.object({
          name: z.string(),
          title: z.string(),
          rank: z.number().int(),
          permissions: z.array(z.enum(permissions)),
          grants: z.array(z.string()).describe('Roles that it may give'),
          may_grant: z.boolean().describe('Whether you may give it'),
        }),
      ),
    },
  },
  listPermissions: {
    method: 'GET',
    path: '/api/user-management/permissions',
    summary: 'Permissions, with the roles that hold them',
    access: everyMember,
    answers: {
      200: listOf(z.object({ name: z.enum(permissions), roles: z.array(z.string()), held: z.boolean() })),
    },
  },
});

const companyRoutes = contract({
  getOwnCompany: {
    method: 'GET',
    path: '/api/company',
    summary: 'The own company',
    access: companyAdmin,
    answers: { 200: OwnCompany },
  },
  updateOwnCompany: {
    method: 'PATCH',
    path: '/api/company',
    summary: 'Change the own company’s name, or open and close registration',
    access: companyAdmin,
    body: z.strictObject({ name: CompanyNameText.optional(), registration: z.enum(['open', 'closed']).optional() }),
    answers: { 200: OwnCompany },
  },
  listAudit: {
    method: 'GET',
    path: '/api/audit',
    summary: 'The company’s audit trail, newest first',
    access: companyAdmin,
    query: z.object({ ...paging, verify: queryFlag.optional() }),
    answers: { 200: listOf(AuditRow).extend({ verification: AuditVerification.optional() }) },
  },
});

const operatorRoutes = contract({
  listOperators: {
    method: 'GET',
    path: '/api/system/users',
    summary: 'Operators',
    access: operator,
    query: z.object(paging),
    answers: { 200: listOf(OperatorAnswer) },
  },
  createOperator: {
    method: 'POST',
    path: '/api/system/users',
    summary: 'Make another operator',
    access: operator,
    body: z.strictObject({
      username: UsernameText,
      email: EmailText,
      full_name: FullNameText.optional(),
      password: PasswordText,
    }),
    answers: { 201: OperatorAnswer },
    errors: ['username_taken', 'email_taken', ...passwordErrors],
    creates: 'plain',
  },
  updateOperator: {
    method: 'PATCH',
    path: '/api/system/users/{id}',
    summary: 'Change an operator',
    access: operator,
    params,
    body: z.strictObject({
      email: EmailText.optional(),
      full_name: FullNameText.optional(),
      is_active: z.boolean().optional(),
    }),
    answers: { 200: OperatorAnswer },
    errors: ['email_taken', 'last_operator'],
  },
  deleteOperator: {
    method: 'DELETE',
    path: '/api/system/users/{id}',
    summary: 'Remove an operator; the last active one stays',
    access: operator,
    params,
    answers: { 204: null },
    errors: ['last_operator'],
  },
});

export const peopleContract = contract({ ...invitationRoutes, ...userRoutes, ...companyRoutes, ...operatorRoutes });
