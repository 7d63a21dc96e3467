/** One person of each role, made over HTTP, so that a test begins where its story does. All have the same password. */
import {
  acceptInvitation,
  type Company,
  expectCall,
  invitePerson,
  newCompany,
  setUpOperator,
} from '../../support/story.ts';
import type { App } from './app.ts';

/** User names of the people, by role. */
export const people = {
  operator: 'operator',
  hr_admin: 'hr-admin',
  hr_manager: 'manager',
  employee: 'employee',
  customer: 'customer',
} as const;
export type PersonRole = keyof typeof people;

export interface Peopled {
  readonly operatorToken: string;
  readonly company: Company;
}

/** An operator, a company, and in it one person of each role. */
export async function peopled(app: App, name = 'North Harbour Logistics'): Promise<Peopled> {
  const operator = await setUpOperator(app.url, app.server.setupToken!);
  const company = await newCompany(app.url, operator.access_token, name);
  for (const role of ['hr_manager', 'employee', 'customer'] as const) {
    await invitePerson(app.url, company.admin, role, people[role]);
  }
  return { operatorToken: operator.access_token, company };
}

/** One more company, in which the HR admin has the address of the first one's: a person with two companies. */
export async function secondCompany(app: App, { operatorToken, company }: Peopled, name: string): Promise<Company> {
  const { email } = company.admin;
  const made = await expectCall<{ id: string; slug: string; bucket: string; invitation: { token: string } }>(
    201,
    app.url,
    'POST',
    '/api/companies',
    { token: operatorToken, body: { name, email, admin: { email, full_name: 'HR admin' } } },
  );
  const admin = await acceptInvitation(app.url, made.invitation.token, 'second-admin');
  return { id: made.id, slug: made.slug, bucket: made.bucket, admin };
}
