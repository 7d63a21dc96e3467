/** Each role sees its own navigation alone, and gets a page that says so, not a blank, on everybody else's addresses. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invitePerson, newCompany, setUpOperator } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { expectAccessible } from './support/look.ts';

const company = [
  '/people',
  '/people/invitations',
  '/settings',
  '/settings/roles',
  '/settings/audit',
  '/uploads',
] as const;
const operator = [
  '/operator',
  '/operator/companies',
  '/operator/companies/new',
  '/operator/migrations',
  '/operator/connections',
  '/operator/audit',
] as const;
const settings = company.filter((path) => path.startsWith('/settings'));

interface Seen {
  readonly username: string;
  /** What the navigation offers, whole. */
  readonly navigation: readonly string[];
  /** Addresses that are not for this role. */
  readonly forbidden: readonly string[];
  readonly allowed: readonly string[];
  /** Whom a page that is not for this role says to ask. */
  readonly ask: (path: string) => RegExp;
}

const inCompany = (who: string) => (path: string) =>
  path.startsWith('/operator')
    ? /ask an operator of this installation/
    : new RegExp(`ask ${who} of .+ for another role`);

/** Written by hand from the table of rights (test/policy/policy.txt), not read from the app. */
const roles: Readonly<Record<string, Seen>> = {
  'HR admin': {
    username: 'hr-admin',
    navigation: ['Documents', 'Uploads', 'People', 'Company settings'],
    forbidden: operator,
    allowed: ['/documents', ...company],
    ask: inCompany('an HR admin'),
  },
  'HR manager': {
    username: 'manager',
    navigation: ['Documents', 'Uploads', 'People'],
    forbidden: [...operator, ...settings],
    allowed: ['/documents', '/people', '/people/invitations', '/uploads'],
    ask: inCompany('an HR admin'),
  },
  Employee: {
    username: 'employee',
    navigation: ['Documents', 'Uploads', 'People'],
    forbidden: [...operator, ...settings],
    allowed: ['/documents', '/people', '/people/invitations', '/uploads'],
    ask: inCompany('an HR admin'),
  },
  Customer: {
    username: 'customer',
    navigation: ['Documents'],
    forbidden: [...operator, ...company],
    allowed: ['/documents'],
    ask: inCompany('an HR admin'),
  },
  Admin: {
    username: 'ws-admin',
    navigation: ['Documents', 'Uploads', 'People', 'Company settings'],
    forbidden: operator,
    allowed: ['/documents', ...company],
    ask: inCompany('an admin'),
  },
  User: {
    username: 'ws-user',
    navigation: ['Documents', 'Uploads'],
    forbidden: [...operator, ...company.filter((path) => path !== '/uploads')],
    allowed: ['/documents', '/uploads'],
    ask: inCompany('an admin'),
  },
  Viewer: {
    username: 'ws-viewer',
    navigation: ['Documents'],
    forbidden: [...operator, ...company],
    allowed: ['/documents'],
    ask: inCompany('an admin'),
  },
  Operator: {
    username: 'operator',
    navigation: ['Overview', 'Companies', 'Migrations', 'Connections', 'Audit trail', 'Operators'],
    forbidden: ['/documents', ...company],
    allowed: operator,
    ask: () => /ask one of its administrators to invite you/,
  },
};

const forbiddenHeading = 'This page is not for your role';

async function headingAt(app: App, page: Page, path: string): Promise<string> {
  await page.goto(app.url + path);
  const heading = page.getByRole('main').getByRole('heading', { level: 1 });
  await heading.waitFor();
  return await heading.innerText();
}

describe.skipIf(executablePath === undefined)('roles', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
    const { access_token } = await setUpOperator(app.url, app.server.setupToken!);
    const { admin } = await newCompany(app.url, access_token, 'North Harbour Logistics');
    await invitePerson(app.url, admin, 'hr_manager', 'manager');
    await invitePerson(app.url, admin, 'employee', 'employee');
    await invitePerson(app.url, admin, 'customer', 'customer');
    const workspace = await newCompany(app.url, access_token, 'South Harbour Studio', { roles: 'workspace' });
    await invitePerson(app.url, workspace.admin, 'admin', 'ws-admin');
    await invitePerson(app.url, workspace.admin, 'user', 'ws-user');
    await invitePerson(app.url, workspace.admin, 'viewer', 'ws-viewer');
  });
  afterAll(() => app?.stop());

  test.each(Object.entries(roles))('%s sees its own navigation alone', async (role, seen) => {
    const { username, navigation, forbidden, allowed } = seen;
    // Two companies have an `hr-admin`: the first that was accepted is meant.
    const page = await app.signedIn(username);
    const entries = page.getByRole('navigation', { name: 'Main' }).getByRole('link');
    await entries.first().waitFor();
    expect(await entries.allInnerTexts()).toEqual(navigation);
    for (const path of forbidden) {
      expect(await headingAt(app, page, path), `${role} on ${path}`).toBe(forbiddenHeading);
      expect(await entries.allInnerTexts(), `${role} on ${path}`).toEqual(navigation);
      await page.getByRole('main').getByText(seen.ask(path)).waitFor();
    }
    await expectAccessible(page);
    for (const path of allowed) {
      const heading = await headingAt(app, page, path);
      expect(heading, `${role} on ${path}`).not.toBe(forbiddenHeading);
      expect(heading, `${role} on ${path}`).not.toMatch(/no such page|broke/);
    }
    await page.context().close();
    app.quiet();
  });

  test('a visitor gets the page to sign in, on every address', async () => {
    const page = await app.visitor();
    for (const path of ['/documents', ...company, ...operator]) {
      await page.goto(app.url + path);
      await page.waitForURL('**/sign-in**');
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
    }
    await page.context().close();
    app.quiet();
  });
});
