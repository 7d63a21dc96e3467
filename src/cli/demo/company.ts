/** Makes one company of the demo over HTTP, as its people would: invitations, passwords, a basket, uploads. */
import { randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accountsContract } from '../../modules/accounts/contract.ts';
import { type Document, documentsContract } from '../../modules/documents/contract.ts';
import { type Company, fleetContract } from '../../modules/fleet/contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { CommandFailure } from '../failure.ts';
import type { Remote } from '../remote.ts';
import { type Cast, type DemoRole, demoRoles, mediaTypes, titles } from './people.ts';

export interface DemoPerson {
  readonly role: DemoRole;
  readonly title: string;
  readonly email: string;
  readonly id: string;
  readonly password: string;
  readonly token: string;
  readonly refreshToken: string;
  /** The server, signed in as this person. */
  readonly as: Remote;
}

export interface DemoCompany {
  readonly company: Company;
  readonly people: Readonly<Record<DemoRole, DemoPerson>>;
  readonly basketId: string;
  readonly documents: readonly Document[];
}

/** @param operator the server, signed in as the operator  @param anybody the same server, not signed in */
export async function foundCompany(operator: Remote, anybody: Remote, cast: Cast): Promise<DemoCompany> {
  const { body: company } = await operator.call(fleetContract.createCompany, {
    body: {
      name: cast.name,
      slug: cast.slug,
      email: `office@${cast.domain}`,
      admin: { email: `hr-admin@${cast.domain}`, full_name: titles.hr_admin },
    },
  });
  if (!('database_name' in company) || company.invitation === undefined) {
    throw new CommandFailure(exitCodes.failed, `${cast.name} was not made in time.`);
  }
  const people: Partial<Record<DemoRole, DemoPerson>> = {};
  let token = company.invitation.token;
  for (const [index, role] of demoRoles.entries()) {
    const person = await accept(anybody, role, token);
    people[role] = person;
    const next = demoRoles[index + 1];
    if (next === undefined) break;
    const { body } = await person.as.call(accountsContract.invite, {
      body: { email: `${next.replace('_', '-')}@${cast.domain}`, full_name: titles[next], role: next },
    });
    token = body.token;
  }
  const all = people as Record<DemoRole, DemoPerson>;
  const basketId = await openBasket(all.employee, all.customer);
  const documents: Document[] = [];
  for (const role of demoRoles) {
    for (const file of cast.uploads[role]) {
      documents.push(await upload(all[role], file, role === 'customer' ? basketId : undefined));
    }
  }
  return { company, people: all, basketId, documents };
}

async function accept(anybody: Remote, role: DemoRole, token: string): Promise<DemoPerson> {
  // A password that nobody knows beforehand, and that is gone with the demo.
  const password = randomBytes(18).toString('base64url');
  const { body } = await anybody.call(accountsContract.acceptInvitation, { body: { token, password } });
  return {
    role,
    title: titles[role],
    email: body.user.email,
    id: body.user.id,
    password,
    token: body.access_token,
    refreshToken: body.refresh_token ?? '',
    as: anybody.withToken(body.access_token),
  };
}

/** Customers upload only where somebody lets them. */
async function openBasket(employee: DemoPerson, customer: DemoPerson): Promise<string> {
  const { body } = await employee.as.call(documentsContract.createBasket, { body: { name: 'Applications' } });
  await employee.as.call(documentsContract.putBasketShare, {
    params: { id: body.id, grantee: customer.id },
    body: { access: 'write' },
  });
  return body.id;
}

export async function upload(person: DemoPerson, file: string, basketId: string | undefined): Promise<Document> {
  const path = fileURLToPath(new URL(`files/${file}`, import.meta.url));
  const form = new FormData();
  if (basketId !== undefined) form.set('basket_id', basketId);
  form.set('file', await openAsBlob(path, { type: mediaTypes[extname(file)] ?? '' }), file);
  const { body } = await person.as.call(documentsContract.uploadDocument, { body: form });
  return body;
}
