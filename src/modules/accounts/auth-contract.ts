/** Signing in and out, sessions, passwords, registration and the first operator: the routes under `/api/auth`. Browser-safe. */
import { z } from 'zod';
import { anyone, contract, everyMember, IdParam, listOf, paging, signedIn, Time } from '../../kernel/contract.ts';
import { permissions } from '../../kernel/roles.ts';
import { EmailText, FullNameText, GivenPasswordText, PasswordText, UsernameText } from '../../kernel/shapes.ts';

/** A sign-in name as typed: what fits no user name or address is simply unknown. */
const SignInName = z.string().min(1, 'must not be empty').max(320, 'at most 320 characters');
const CompanyHint = z.string().max(200, 'at most 200 characters').describe('Id or slug of a company');
/** `<company's id part>.<256 random bits>`; anything else is unknown. */
export const OpaqueToken = z.string().max(300, 'at most 300 characters');

export const CompanyRef = z.object({ id: z.string(), name: z.string(), slug: z.string() });
export type CompanyRef = z.output<typeof CompanyRef>;

export const SignedInUser = z.object({
  id: z.string(),
  username: z.string().describe('The user name; the e-mail address of those who chose none'),
  email: z.string(),
  full_name: z.string(),
  role: z.string(),
  permissions: z.array(z.enum(permissions)),
});
export type SignedInUser = z.output<typeof SignedInUser>;

export const TokenAnswer = z.object({
  access_token: z.string(),
  token_type: z.literal('bearer'),
  expires_in: z.number().int().describe('Seconds'),
  refresh_token: z.string().optional().describe('Left out for `X-Strongroom-Client: web`, which gets it as a cookie'),
});
export type TokenAnswer = z.output<typeof TokenAnswer>;

export const LoginAnswer = TokenAnswer.extend({
  user: SignedInUser,
  company: CompanyRef.nullable().describe('Null for operators'),
  companies: z.array(CompanyRef).describe('This company and those that this person has linked with it'),
});
export type LoginAnswer = z.output<typeof LoginAnswer>;

export const LoginBody = z.strictObject({
  username: SignInName,
  password: GivenPasswordText,
  company: CompanyHint.optional(),
});

export const SessionAnswer = z.object({
  id: z.string(),
  client: z.enum(['api', 'web']),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  created_at: Time,
  last_seen_at: Time,
  expires_at: Time,
  current: z.boolean(),
});
export type SessionAnswer = z.output<typeof SessionAnswer>;

const signInErrors = ['invalid_credentials', 'too_many_attempts', 'sign_in_busy'] as const;
const passwordErrors = ['password_common', 'password_personal'] as const;

export const authContract = contract({
  login: {
    method: 'POST',
    path: '/api/auth/login',
    summary: 'Sign in with a user name or an e-mail address',
    description:
      'With `company` only there; else an operator of that name, else the only membership, else the one accepted ' +
      'first. Whatever is wrong, the answer is the same.',
    access: anyone,
    body: LoginBody,
    bodyKind: 'json_or_form',
    answers: { 200: LoginAnswer },
    errors: signInErrors,
    guarded: true,
  },
  token: {
    method: 'POST',
    path: '/api/auth/token',
    summary: 'Sign in with the OAuth2 password form',
    access: anyone,
    body: z.strictObject({
      grant_type: z.literal('password').optional(),
      username: SignInName,
      password: GivenPasswordText,
      company: CompanyHint.optional(),
      scope: z.string().max(1_000).optional(),
      client_id: z.string().max(1_000).optional(),
      client_secret: z.string().max(1_000).optional(),
    }),
    bodyKind: 'form',
    answers: { 200: TokenAnswer },
    errors: signInErrors,
    guarded: true,
  },
  refresh: {
    method: 'POST',
    path: '/api/auth/refresh',
    summary: 'Exchange a refresh token for a new pair',
    description:
      'Works once. Within 10 s the same token gives the same successor, for answers that were lost; later use ends ' +
      'the session. Web clients send their cookie instead of a body.',
    access: anyone,
    body: z.strictObject({ refresh_token: OpaqueToken.optional() }).optional(),
    answers: { 200: TokenAnswer },
    errors: ['invalid_token', 'cross_site'],
  },
  logout: {
    method: 'POST',
    path: '/api/auth/logout',
    summary: 'End this session',
    access: signedIn,
    answers: { 204: null },
    errors: ['cross_site'],
  },
  switchCompany: {
    method: 'POST',
    path: '/api/auth/switch',
    summary: 'Go on in another company of the same person',
    description: 'The first time with the password there, which links the two memberships; later without.',
    access: everyMember,
    body: z.strictObject({
      company_id: z.string().max(200).describe('With the password, a slug does too'),
      password: GivenPasswordText.optional(),
    }),
    answers: { 200: LoginAnswer },
    errors: [...signInErrors, 'password_required'],
    guarded: true,
  },
  ticket: {
    method: 'POST',
    path: '/api/auth/ticket',
    summary: 'Let a browser fetch one file by itself, within a minute',
    description:
      'Sets the cookie `strongroom_ticket`, with which a link or an image of this origin may GET exactly this path, or ' +
      'a form POST to that of the archive, without a token. It ends with the session.',
    access: everyMember,
    body: z.strictObject({
      path: z
        .string()
        .max(300, 'at most 300 characters')
        .regex(/^\/api\/(?:v1\/)?documents\/(?:archive|[A-Za-z0-9_-]+\/(?:download|preview|thumbnail))$/, {
          error: 'the path of the download, preview or thumbnail of a document, or of the archive',
        })
        .describe('Such as `/api/documents/{id}/download`'),
    }),
    answers: { 204: null },
  },
  changePassword: {
    method: 'POST',
    path: '/api/auth/change-password',
    summary: 'Change the own password; every other session ends',
    access: signedIn,
    body: z.strictObject({ current_password: GivenPasswordText, new_password: PasswordText }),
    answers: { 204: null },
    errors: [...signInErrors, ...passwordErrors, 'password_unchanged'],
    guarded: true,
  },
  listSessions: {
    method: 'GET',
    path: '/api/auth/sessions',
    summary: 'The own sessions that live, newest first',
    access: signedIn,
    query: z.object(paging),
    answers: { 200: listOf(SessionAnswer) },
  },
  endOtherSessions: {
    method: 'DELETE',
    path: '/api/auth/sessions',
    summary: 'End every own session but this one',
    access: signedIn,
    answers: { 204: null },
  },
  endSession: {
    method: 'DELETE',
    path: '/api/auth/sessions/{id}',
    summary: 'End one of the own sessions',
    access: signedIn,
    params: z.object({ id: IdParam }),
    answers: { 204: null },
  },
  me: {
    method: 'GET',
    path: '/api/auth/me',
    summary: 'Who is signed in, and where',
    access: signedIn,
    answers: {
      200: z.object({
        user: SignedInUser,
        company: CompanyRef.nullable(),
        companies: z.array(CompanyRef).describe('This company and those that this person has linked with it'),
      }),
    },
  },
  register: {
    method: 'POST',
    path: '/api/auth/register',
    summary: 'Join a company that has opened registration, with its lowest role',
    access: anyone,
    body: z.strictObject({
      name: FullNameText,
      email: EmailText,
      password: PasswordText,
      company_id: z.string().max(200),
      role: z.string().max(64).optional(),
    }),
    answers: { 201: LoginAnswer },
    errors: ['registration_closed', 'already_user', 'role_not_open', 'too_many_attempts', ...passwordErrors],
    creates: 'sealed',
    guarded: true,
  },
  forgotPassword: {
    method: 'POST',
    path: '/api/auth/forgot-password',
    summary: 'Ask for a link to reset a password',
    description: 'Always 202, at once. The link goes by mail to the address of the account, where there is one.',
    access: anyone,
    body: z.strictObject({ username: SignInName, company: CompanyHint.optional() }),
    answers: { 202: null },
    errors: ['too_many_attempts'],
    guarded: true,
  },
  resetPassword: {
    method: 'POST',
    path: '/api/auth/reset-password',
    summary: 'Set a new password with the token of a reset link; every session ends',
    access: anyone,
    body: z.strictObject({ token: OpaqueToken, password: PasswordText }),
    answers: { 204: null },
    errors: ['reset_used', 'invitation_over', 'too_many_attempts', ...passwordErrors],
    guarded: true,
  },
  setup: {
    method: 'POST',
    path: '/api/setup',
    summary: 'Make the first operator, once, with the token that the first start prints',
    access: anyone,
    body: z.strictObject({
      token: OpaqueToken,
      username: UsernameText,
      email: EmailText,
      password: PasswordText,
    }),
    answers: { 201: LoginAnswer },
    errors: ['too_many_attempts', ...passwordErrors],
    creates: 'sealed',
    guarded: true,
  },
});
