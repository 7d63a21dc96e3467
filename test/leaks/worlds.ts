/** Two companies with people of every role and one of everything, and the ids of their things. */
import { newId } from '../../src/kernel/ids.ts';
import { pdfOf } from '../../src/modules/documents/renditions/testing.ts';
import { type Company, call, expectCall, invitePerson, newCompany, type Person, uploadFile } from '../support/story.ts';
import { idKindOf, type Thing } from './inputs.ts';

export const roles = ['hr_admin', 'hr_manager', 'employee', 'customer'] as const;
export type CompanyRole = (typeof roles)[number];

export interface World {
  readonly company: Company;
  readonly placement: string;
  readonly people: Record<CompanyRole, Person>;
  /** One living thing of each kind. */
  readonly ids: Partial<Record<Thing, string>>;
  /** The same kinds, made and removed again. */
  readonly deleted: Partial<Record<Thing, string>>;
}

export interface Worlds {
  readonly operator: string;
  readonly own: World;
  readonly other: World;
}

/** What is made of a document after its upload changes rows and objects; comparisons begin when it is done. */
async function untilShown(url: string, token: string, id: string): Promise<void> {
  for (let tries = 0; tries < 900; tries += 1) {
    const { status } = await call(url, 'GET', `/api/documents/${id}/thumbnail`, { token });
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the thumbnail of a document was not made in 90 s');
}

async function thingsOf(
  url: string,
  people: Record<CompanyRole, Person>,
  mark: string,
): Promise<Partial<Record<Thing, string>>> {
  const { hr_admin: admin, employee, customer } = people;
  const basket = await expectCall<{ id: string }>(201, url, 'POST', '/api/baskets', {
    token: employee.token,
    body: { name: `basket ${mark}` },
  });
  // Of a PDF there is everything that can be shown of a document.
  const document = await uploadFile(url, employee.token, `document ${mark}.pdf`, pdfOf([`content of ${mark}`]));
  await untilShown(url, employee.token, document.id);
  await expectCall(200, url, 'PUT', `/api/documents/${document.id}/shares/${customer.id}`, {
    token: employee.token,
    body: { access: 'read' },
  });
  const invitation = await expectCall<{ id: string }>(201, url, 'POST', '/api/user-management/invite', {
    token: admin.token,
    body: { email: `waiting-${mark}@people.example`, full_name: 'A person', role: 'customer' },
  });
  const upload = await call(url, 'POST', '/api/uploads', {
    token: employee.token,
    headers: {
      'tus-resumable': '1.0.0',
      'upload-length': '10',
      'upload-metadata': `filename ${btoa(`upload-${mark}.txt`)}`,
    },
  });
  const sessions = await expectCall<{ items: { id: string }[] }>(200, url, 'GET', '/api/auth/sessions', {
    token: employee.token,
  });
  return {
    user: customer.id,
    document: document.id,
    basket: basket.id,
    invitation: invitation.id,
    upload: upload.headers.get('location')!.split('/').at(-1)!,
    session: sessions.items[0]!.id,
  };
}

async function removedThings(
  url: string,
  people: Record<CompanyRole, Person>,
  mark: string,
): Promise<Partial<Record<Thing, string>>> {
  const { employee, hr_admin: admin } = people;
  const gone = await thingsOf(url, people, `${mark} to be removed`.replaceAll(' ', '-'));
  await expectCall(204, url, 'DELETE', `/api/documents/${gone.document}?purge=true`, { token: employee.token });
  await expectCall(204, url, 'DELETE', `/api/baskets/${gone.basket}`, { token: employee.token });
  await expectCall(204, url, 'DELETE', `/api/uploads/${gone.upload}`, {
    token: employee.token,
    headers: { 'tus-resumable': '1.0.0' },
  });
  await expectCall(204, url, 'DELETE', `/api/user-management/invitations/${gone.invitation}`, { token: admin.token });
  return { document: gone.document!, basket: gone.basket!, upload: gone.upload! };
}

/** @param whole with what was made and removed again, which only the own company of a comparison needs */
export async function makeWorld(
  url: string,
  operator: string,
  name: string,
  placement = 'sqlite',
  whole = true,
): Promise<World> {
  const company = await newCompany(url, operator, name, { placement });
  const mark = name.toLowerCase().replaceAll(' ', '-');
  const people = { hr_admin: company.admin } as Record<CompanyRole, Person>;
  people.hr_manager = await invitePerson(url, people.hr_admin, 'hr_manager', `manager-${mark}`);
  people.employee = await invitePerson(url, people.hr_manager, 'employee', `employee-${mark}`);
  people.customer = await invitePerson(url, people.employee, 'customer', `customer-${mark}`);
  const operators = await expectCall<{ items: { id: string }[] }>(200, url, 'GET', '/api/system/users', {
    token: operator,
  });
  const ids = {
    company: company.id as string,
    operator: operators.items[0]!.id,
    ...(await thingsOf(url, people, mark)),
  };
  if (!whole) return { company, placement, people, ids, deleted: {} };
  const deleted = await removedThings(url, people, mark);
  const removed = await newCompany(url, operator, `${name} removed`, { placement });
  await expectCall(204, url, 'DELETE', `/api/companies/${removed.id}?confirm=${removed.slug}&purge=now`, {
    token: operator,
  });
  return { company, placement, people, ids, deleted: { company: removed.id, ...deleted } };
}

export const idSources = ['other', 'random', 'deleted', 'malformed'] as const;
export type IdSource = (typeof idSources)[number];

/** An id of this kind from this source. What has no deleted one is given a random one. */
export function idFrom(worlds: Worlds, source: IdSource | 'own', thing: Thing): string {
  const random = () => newId(idKindOf[thing] as 'user');
  switch (source) {
    case 'own':
      return worlds.own.ids[thing] ?? random();
    case 'other':
      return worlds.other.ids[thing] ?? random();
    case 'deleted':
      return worlds.own.deleted[thing] ?? random();
    case 'random':
      return random();
    case 'malformed':
      return `${idKindOf[thing]}_not-an-id`;
  }
}
