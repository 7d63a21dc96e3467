/**
 * Bad input in every form: each field error of the server's answer stands beside its field and is read with it, the
 * first of them has the focus, and nothing that was typed is lost. Left out: the form that starts a fleet migration,
 * which is there only while companies are behind, and dialogs in which nothing can be typed.
 */
import type { Locator, Page, Response } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Company, expectCall, newCompany, setUpOperator, uploadFile } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';

/** Turns the text around it: may stand in no name. */
const turned = 'North\u202eHarbour';
/** Typed by the test, never a person's. */
const short = 'seven77';
const long = (length: number) => 'x'.repeat(length);

interface Refused {
  readonly form: string;
  /** Who is signed in; without one a visitor. */
  readonly as?: 'operator' | 'hr-admin';
  /** Goes to the form. @returns where it stands */
  readonly open: (page: Page) => Promise<Page | Locator>;
  /** What is typed, by the labels of the fields. */
  readonly typed: Readonly<Record<string, string>>;
  readonly submit: string | ((scope: Page | Locator, page: Page) => Promise<void>);
  /** The paths that the server names, each with the label of its field. */
  readonly refused: Readonly<Record<string, string>>;
}

describe.skipIf(executablePath === undefined)('bad input', () => {
  let app: App;
  let company: Company;
  let operatorToken: string;
  let setupToken: string;
  let documentId: string;
  beforeAll(async () => {
    app = await startApp();
    setupToken = app.server.setupToken!;
  });
  afterAll(() => app?.stop());

  const goto = (path: string) => async (page: Page) => {
    await page.goto(app.url + path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  };
  const dialogAt = (path: string, ...clicks: readonly (string | RegExp)[]) => {
    return async (page: Page) => {
      await goto(path)(page);
      for (const name of clicks) {
        const button = page.getByRole('button', { name }).or(page.getByRole('menuitem', { name }));
        await button.first().click();
      }
      return page.getByRole('dialog').last();
    };
  };
  const section = (path: string, name: string) => async (page: Page) => {
    await goto(path)(page);
    return page.getByRole('region', { name, exact: true });
  };

  async function resetToken(): Promise<string> {
    const { token } = company.admin;
    const invited = await expectCall<{ token: string }>(201, app.url, 'POST', '/api/user-management/invite', {
      token,
      body: { email: 'reset@people.example', full_name: 'Customer', role: 'customer' },
    });
    const made = await expectCall<{ user: { id: string } }>(
      201,
      app.url,
      'POST',
      '/api/user-management/setup-password',
      { body: { token: invited.token, password: `${long(3)}-${company.id}` } },
    );
    const path = `/api/user-management/users/${made.user.id}/reset-password`;
    const { reset_url } = await expectCall<{ reset_url: string }>(202, app.url, 'POST', path, { token });
    return new URL(reset_url).searchParams.get('token')!;
  }

  async function invitationToken(): Promise<string> {
    const body = { email: 'invited@people.example', full_name: 'Employee', role: 'employee' };
    const options = { token: company.admin.token, body };
    const path = '/api/user-management/invite';
    return (await expectCall<{ token: string }>(201, app.url, 'POST', path, options)).token;
  }

  /** The answer with which the server refuses what the form sends. */
  const refusal = (page: Page): Promise<Response> => {
    const answer = page.waitForResponse((one) => one.status() >= 400 && one.request().method() !== 'GET');
    // Whoever fails before it is waited for says so himself.
    answer.catch(() => undefined);
    return answer;
  };

  async function expectRefused(page: Page, one: Refused): Promise<void> {
    const scope = await one.open(page);
    for (const [label, text] of Object.entries(one.typed)) await field(scope, label).fill(text);
    const answer = refusal(page);
    if (typeof one.submit === 'string') await scope.getByRole('button', { name: one.submit, exact: true }).click();
    else await one.submit(scope, page);
    const { errors = [] } = (await (await answer).json()) as { errors?: { path: string; message: string }[] };
    expect(errors.map(({ path }) => path).sort(), 'what the server refuses').toEqual(Object.keys(one.refused).sort());
    for (const { path, message } of errors) {
      const refused = field(scope, one.refused[path]!);
      await expect.poll(() => spokenWith(refused), { message: `${path} beside its field` }).toContain(message);
      expect(await refused.getAttribute('aria-invalid'), path).toBe('true');
    }
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-invalid'));
    await expect.poll(focused, { message: 'the first refused field has the focus' }).toBe('true');
    for (const [label, text] of Object.entries(one.typed)) {
      expect(await field(scope, label).inputValue(), `${label} is not lost`).toBe(text);
    }
  }

  const forms: readonly Refused[] = [
    {
      form: 'set up',
      open: (page) => goto(`/setup?token=${setupToken}`)(page),
      typed: { 'User name': 'not a name', 'E-mail address': 'no address', Password: short },
      submit: 'Create operator',
      refused: { username: 'User name', email: 'E-mail address', password: 'Password' },
    },
    {
      form: 'sign in',
      open: goto('/sign-in'),
      typed: { 'User name or e-mail address': long(321), Password: long(1_025) },
      submit: 'Sign in',
      refused: { username: 'User name or e-mail address', password: 'Password' },
    },
    {
      form: 'forgotten password',
      open: goto('/forgot'),
      typed: { 'User name or e-mail address': long(321), Company: long(201) },
      submit: 'Send link',
      refused: { username: 'User name or e-mail address', company: 'Company' },
    },
    {
      form: 'new password by a link',
      open: async (page) => goto(`/reset-password?token=${await resetToken()}`)(page),
      typed: { 'New password': short },
      submit: 'Set password',
      refused: { password: 'New password' },
    },
    {
      form: 'invitation',
      open: async (page) => goto(`/invitation?token=${await invitationToken()}`)(page),
      typed: { 'User name, if you want one': 'not a name', Password: short },
      submit: 'Accept and sign in',
      refused: { username: 'User name, if you want one', password: 'Password' },
    },
    {
      form: 'change of the own password',
      as: 'hr-admin',
      open: goto('/account'),
      typed: { 'Current password': long(1_025), 'New password': short },
      submit: 'Change password',
      refused: { current_password: 'Current password', new_password: 'New password' },
    },
    {
      form: 'another company',
      as: 'hr-admin',
      open: dialogAt('/documents', /Switch company/, 'Go on in another company…'),
      typed: { 'Short name of the company': long(201), 'Your password there': long(1_025) },
      submit: 'Go on there',
      refused: { company_id: 'Short name of the company', password: 'Your password there' },
    },
    {
      form: 'invitation of people',
      as: 'hr-admin',
      open: dialogAt('/people', 'Invite people'),
      typed: { 'E-mail address': 'no address', 'Full name': turned },
      submit: 'Send invitation',
      refused: { email: 'E-mail address', full_name: 'Full name' },
    },
    {
      form: 'name of a person',
      as: 'hr-admin',
      open: dialogAt('/people', /^Actions for Customer/, 'Change name'),
      typed: { 'Full name': turned },
      submit: 'Save',
      refused: { full_name: 'Full name' },
    },
    {
      form: 'company settings',
      as: 'hr-admin',
      open: section('/settings', 'Company'),
      typed: { Name: turned },
      submit: 'Save',
      refused: { name: 'Name' },
    },
    {
      form: 'refused kinds of files',
      as: 'hr-admin',
      open: section('/settings', 'Files that are refused'),
      typed: {},
      submit: async (scope) => {
        await scope.getByRole('combobox', { name: 'Refused kinds' }).fill('.tmp exe,');
        await scope.getByRole('button', { name: 'Save' }).click();
      },
      refused: { 'denied_types.1': 'Refused kinds' },
    },
    {
      form: 'new basket',
      as: 'hr-admin',
      open: dialogAt('/documents', 'New basket'),
      typed: { Name: turned, Description: turned },
      submit: 'Create basket',
      refused: { name: 'Name', description: 'Description' },
    },
    {
      form: 'name of a basket',
      as: 'hr-admin',
      open: dialogAt('/documents', 'Actions for basket Orders', 'Rename and describe'),
      typed: { Name: turned, Description: 'What comes in, by day.' },
      submit: 'Save',
      refused: { name: 'Name' },
    },
    {
      form: 'name of a document',
      as: 'hr-admin',
      open: (page) => goto(`/documents/${documentId}`)(page),
      typed: { Name: 'reports/annual.txt' },
      submit: async (_, page) => page.keyboard.press('Enter'),
      refused: { filename: 'Name' },
    },
    {
      form: 'tags of a document',
      as: 'hr-admin',
      open: (page) => goto(`/documents/${documentId}`)(page),
      typed: {},
      submit: async (scope, page) => {
        await scope.getByRole('combobox', { name: 'Tags' }).fill(long(65));
        await page.keyboard.press('Enter');
      },
      refused: { 'tags.0': 'Tags' },
    },
    {
      form: 'new company',
      as: 'operator',
      open: goto('/operator/companies/new'),
      typed: {
        Name: turned,
        'E-mail address': 'no address',
        Slug: 'Not A Slug',
        'Full name': turned,
        'Address of the administrator': 'nor this',
        'Quota in GB': '5',
      },
      submit: 'Create company',
      refused: {
        name: 'Name',
        email: 'E-mail address',
        slug: 'Slug',
        'admin.email': 'Address of the administrator',
        'admin.full_name': 'Full name',
      },
    },
    {
      form: 'facts of a company',
      as: 'operator',
      open: (page) => dialogAt(`/operator/companies/${company.id}`, 'More actions', 'Edit…')(page),
      typed: { Name: turned, 'E-mail address': 'no address' },
      submit: 'Save',
      refused: { name: 'Name', email: 'E-mail address' },
    },
    {
      form: 'invitation of an administrator',
      as: 'operator',
      open: (page) => dialogAt(`/operator/companies/${company.id}`, 'More actions', 'Invite administrator')(page),
      typed: { 'Full name': turned, 'Address of the administrator': 'no address' },
      submit: 'Invite administrator',
      refused: { full_name: 'Full name', email: 'Address of the administrator' },
    },
    {
      form: 'new operator',
      as: 'operator',
      open: dialogAt('/operator/operators', 'Add operator'),
      typed: {
        'User name': 'not a name',
        'Full name (optional)': turned,
        'E-mail address': 'no address',
        Password: short,
      },
      submit: 'Add operator',
      refused: {
        username: 'User name',
        full_name: 'Full name (optional)',
        email: 'E-mail address',
        password: 'Password',
      },
    },
  ];

  const [setUp, ...others] = forms;

  test('set up: refused beside the fields, and nothing typed is lost', async () => {
    const page = await app.visitor();
    await expectRefused(page, setUp!);
    await page.context().close();
    app.quiet();
    operatorToken = (await setUpOperator(app.url, setupToken)).access_token;
    company = await newCompany(app.url, operatorToken, 'North Harbour Logistics');
    const { token } = company.admin;
    documentId = (await uploadFile(app.url, token, 'annual.txt', 'Words.\n')).id;
    await expectCall(201, app.url, 'POST', '/api/baskets', { token, body: { name: 'Orders' } });
  });

  test.each(others)('$form: refused beside the fields, and nothing typed is lost', async (one) => {
    const page = one.as === undefined ? await app.visitor() : await app.signedIn(one.as);
    await expectRefused(page, one);
    await page.context().close();
    app.quiet();
  });

  test('what belongs to no field is said above the button, and nothing typed is lost', async () => {
    const page = await app.visitor();
    await goto('/sign-in')(page);
    await page.getByLabel('User name or e-mail address').fill('hr-admin');
    await page.getByLabel('Password', { exact: true }).fill(short);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('Request id').waitFor();
    expect(await page.getByLabel('User name or e-mail address').inputValue()).toBe('hr-admin');
    expect(await page.getByLabel('Password', { exact: true }).inputValue()).toBe(short);
    await page.context().close();
    app.quiet();
  });

  test('metadata of a document: the refusal stands with the facts, which stay', async () => {
    const page = await app.signedIn('hr-admin');
    await goto(`/documents/${documentId}`)(page);
    const facts = page.getByRole('group', { name: /^Metadata/ });
    await facts.getByRole('button', { name: 'Add a fact' }).click();
    await facts.getByLabel('Name of fact 1').fill('owner');
    await facts.getByLabel('Value of owner').fill('the north pier');
    const answer = refusal(page);
    await page.keyboard.press('Enter');
    const { errors } = (await (await answer).json()) as { errors: { message: string }[] };
    await facts.getByRole('alert').getByText(errors[0]!.message).waitFor();
    expect(await facts.getByLabel('Value of owner').inputValue()).toBe('the north pier');
    await page.context().close();
    app.quiet();
  });
});

const field = (scope: Page | Locator, label: string): Locator =>
  scope
    .getByRole('textbox', { name: label, exact: true })
    .or(scope.getByRole('combobox', { name: label, exact: true }))
    .or(scope.locator('input[type=password]').and(scope.getByLabel(label, { exact: true })))
    .first();

/** What is read out with a field: what describes it. */
const spokenWith = (target: Locator): Promise<string> =>
  target.evaluate((element) => {
    const ids = `${element.getAttribute('aria-describedby') ?? ''} ${element.getAttribute('aria-errormessage') ?? ''}`;
    const texts = ids.split(/\s+/).map((id) => (id === '' ? '' : (document.getElementById(id)?.textContent ?? '')));
    return texts.join(' ');
  });
