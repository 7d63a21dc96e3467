/** The story of part 1 by clicking alone: from the one-time link of the first operator to the end of a company. */
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { password } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';

const companyName = 'North Harbour Logistics';

/** Everybody has a file of his own, told by its name. */
const files = { admin: 'plan.txt', employee: 'report.txt', customer: 'order.txt' } as const;

async function accept(page: Page, link: string, username: string): Promise<void> {
  await page.goto(link);
  await page.getByText(companyName).waitFor();
  await page.getByLabel(/^User name/).fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Accept and sign in' }).click();
  await page.waitForURL('**/documents');
  await page.getByRole('banner').getByText(companyName).waitFor();
}

/** @returns the link that is shown once */
async function invite(page: Page, person: { email: string; name: string; role: string }): Promise<string> {
  await page.getByRole('link', { name: 'People' }).click();
  await page.getByRole('button', { name: 'Invite people' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('E-mail address').fill(person.email);
  await dialog.getByLabel('Full name').fill(person.name);
  await choose(page, dialog, 'Role', person.role);
  await dialog.getByRole('button', { name: 'Send invitation' }).click();
  const link = await dialog.getByLabel(`Link for ${person.name}`).inputValue();
  await dialog.getByRole('button', { name: 'Done' }).click();
  return link;
}

async function choose(page: Page, within: Locator, label: string, option: string | RegExp): Promise<void> {
  await within.getByRole('combobox', { name: label }).click();
  await page.getByRole('option', { name: option }).click();
}

/** Through the window for choosing files, into what is open; waits until the tray says that it is done. */
async function upload(page: Page, name: string): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page
    .getByRole('button', { name: /^Upload (files|documents)$/ })
    .first()
    .click();
  const buffer = Buffer.from(`The text of ${name}.\n`);
  await (await chooser).setFiles({ name, mimeType: 'text/plain', buffer });
  await page.getByRole('complementary', { name: 'Uploads' }).getByText('1 upload done').waitFor();
}

/** The names in the list of documents, once `expected` many are there. */
async function listed(page: Page, expected: readonly string[]): Promise<string[]> {
  await page.getByRole('link', { name: 'Documents', exact: true }).click();
  await page.getByRole('button', { name: 'All documents' }).click();
  const table = page.getByRole('table', { name: 'Documents' });
  for (const name of expected) await table.getByRole('link', { name, exact: true }).waitFor();
  return (await table.getByRole('link').allInnerTexts()).sort();
}

describe.skipIf(executablePath === undefined)('the whole story by clicking', () => {
  let app: App;
  const pages: Record<string, Page> = {};
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app?.stop());

  const someone = async (role: string) => (pages[role] ??= await app.visitor());

  test('the one-time link sets up the operator, who makes a company', async () => {
    const page = await someone('operator');
    await page.goto(`${app.url}/setup?token=${app.server.setupToken}`);
    await page.getByLabel('User name').fill('operator');
    await page.getByLabel('E-mail address').fill('operator@example.com');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Create operator' }).click();
    await page.waitForURL('**/operator');
    await page.getByRole('link', { name: 'Companies' }).click();
    await page.getByRole('link', { name: 'Create company' }).first().click();
    await page.getByLabel('Name', { exact: false }).first().fill(companyName);
    await page.getByLabel('E-mail', { exact: false }).first().fill('office@north.example');
    await page.getByLabel('Full name').fill('HR admin');
    await page.getByLabel('Address of the administrator').fill('hr-admin@north.example');
    await page.getByRole('button', { name: 'Create company' }).click();
    await page.getByText('The company is ready').first().waitFor();
    const link = await page.getByTestId('setup-url').innerText();
    await page.getByRole('link', { name: 'Open company' }).click();
    await page.getByRole('heading', { level: 1, name: companyName }).waitFor();
    await accept(await someone('admin'), link, 'hr-admin');
    app.quiet();
  });

  test('the HR admin invites an employee, who invites a customer', async () => {
    const admin = await someone('admin');
    const employee = await someone('employee');
    const first = await invite(admin, { email: 'employee@north.example', name: 'Employee', role: 'Employee' });
    await accept(employee, first, 'employee');
    const second = await invite(employee, { email: 'customer@buyer.example', name: 'Customer', role: 'Customer' });
    await accept(await someone('customer'), second, 'customer');
    app.quiet();
  });

  test('everybody who may uploads: a customer only into what is shared for writing', async () => {
    const admin = await someone('admin');
    await admin.getByRole('link', { name: 'Uploads', exact: true }).click();
    await upload(admin, files.admin);
    const employee = await someone('employee');
    await employee.getByRole('link', { name: 'Uploads', exact: true }).click();
    await upload(employee, files.employee);
    const customer = await someone('customer');
    expect(await customer.getByRole('link', { name: 'Uploads', exact: true }).count()).toBe(0);
    await employee.getByRole('link', { name: 'Documents', exact: true }).click();
    await employee.getByRole('button', { name: 'New basket' }).click();
    await employee.getByRole('dialog').getByLabel('Name').fill('Orders');
    await employee.getByRole('dialog').getByRole('button', { name: 'Create basket' }).click();
    await employee.getByRole('button', { name: 'Actions for basket Orders' }).click();
    await employee.getByRole('menuitem', { name: /Share/ }).click();
    await shareForWriting(employee);
    await customer.reload();
    await customer.getByRole('button', { name: 'Orders', exact: true }).click();
    await upload(customer, files.customer);
    app.quiet();
  });

  test('everybody lists exactly what their role may see', async () => {
    const everything = Object.values(files).sort();
    expect(await listed(await someone('admin'), everything)).toEqual(everything);
    const shared = [files.customer, files.employee].sort();
    expect(await listed(await someone('employee'), shared)).toEqual(shared);
    expect(await listed(await someone('customer'), [files.customer])).toEqual([files.customer]);
    const people = async (page: Page, expected: readonly string[]) => {
      await page.getByRole('link', { name: 'People' }).click();
      const table = page.getByRole('table', { name: 'People' });
      const names = () => table.getByRole('button', { name: /^Open / }).allInnerTexts();
      await expect.poll(names, { timeout: 10_000 }).toEqual(expected);
    };
    await people(await someone('admin'), ['HR admin', 'Employee', 'Customer']);
    await people(await someone('employee'), ['Employee', 'Customer']);
    expect(await (await someone('customer')).getByRole('link', { name: 'People' }).count()).toBe(0);
    app.quiet();
  });

  test('the operator deletes the company, and nobody comes in any more', async () => {
    const page = await someone('operator');
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete company…' }).click();
    const dialog = page.getByRole('dialog');
    const remove = dialog.getByRole('button', { name: 'Delete company' });
    expect(await remove.isDisabled(), 'until the name stands there').toBe(true);
    await dialog.getByLabel(`Type ${companyName} to confirm`).fill(companyName);
    await remove.click();
    await page.getByText('This company is deleted').waitFor();
    const employee = await someone('employee');
    await employee.reload();
    await employee.waitForURL('**/sign-in**');
    await employee.getByLabel('User name or e-mail address').fill('employee');
    await employee.getByLabel('Password', { exact: true }).fill(password);
    await employee.getByRole('button', { name: 'Sign in' }).click();
    await employee.getByRole('alert').waitFor();
    expect(employee.url()).toContain('/sign-in');
    app.quiet();
  });
});

/** In the dialog of a basket's shares, to the customer. */
async function shareForWriting(page: Page): Promise<void> {
  const dialog = page.getByRole('dialog');
  await choose(page, dialog, 'Person or role', /^Customer \(/);
  await dialog.getByRole('combobox', { name: 'Access' }).first().selectOption({ label: 'May read and add' });
  await dialog.getByRole('button', { name: 'Share', exact: true }).click();
  await dialog.getByRole('listitem').filter({ hasText: 'customer@buyer.example' }).waitFor();
  await page.keyboard.press('Escape');
}
