/** People and company settings by clicking: invitations in all their states, roles, what each role sees; axe, pictures. */
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptInvitation, type Company, invitePerson, logIn, newCompany, setUpOperator } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { expectAccessible, expectNoSideways, look, shots } from './support/look.ts';

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

async function choose(page: Page, within: Locator, label: string, option: string): Promise<void> {
  await within.getByRole('combobox', { name: label, exact: true }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

describe.skipIf(executablePath === undefined)('people and company settings', () => {
  let app: App;
  let company: Company;
  beforeAll(async () => {
    app = await startApp();
    const operator = await setUpOperator(app.url, app.server.setupToken!);
    company = await newCompany(app.url, operator.access_token, 'North Harbour Logistics', {
      quota_bytes: 5_000_000_000,
    });
  });
  afterAll(() => app?.stop());

  test('an HR admin invites several; the refused one stays in the form with its reason', async () => {
    const page = await app.signedIn('hr-admin');
    await page.getByRole('link', { name: 'People' }).click();
    await page.getByRole('heading', { name: 'People', level: 1 }).waitFor();
    await row(page, 'HR admin').first().waitFor();
    await page.getByRole('button', { name: 'Invite people' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('E-mail address').fill('manager@north.example');
    await dialog.getByLabel('Full name').fill('Manager of people');
    await choose(page, dialog, 'Role', 'HR manager');
    await dialog.getByRole('button', { name: 'Add another person' }).click();
    await dialog.getByLabel('E-mail address').nth(1).fill('no address');
    await dialog.getByLabel('Full name').nth(1).fill('Employee of the north');
    await look(page, 'people-invite');
    await dialog.getByRole('button', { name: 'Send 2 invitations' }).click();
    await dialog.getByText('The invitation is made.').waitFor();
    const link = await dialog.getByLabel('Link for Manager of people').inputValue();
    expect(new URL(link).origin).toBe(app.url);
    // What was refused is still there, with the server's reason beside its field.
    const address = dialog.getByLabel('E-mail address');
    expect(await address.inputValue()).toBe('no address');
    expect(await address.getAttribute('aria-invalid')).toBe('true');
    expect(await dialog.getByLabel('Full name').inputValue()).toBe('Employee of the north');
    await look(page, 'people-invited');
    await address.fill('manager@north.example');
    await dialog.getByRole('button', { name: 'Send invitation' }).click();
    await dialog.getByText('This address has an open invitation.').waitFor();
    await address.fill('employee@north.example');
    await dialog.getByRole('button', { name: 'Send invitation' }).click();
    await dialog.getByLabel('Link for Employee of the north').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await acceptInvitation(app.url, new URL(link).searchParams.get('token')!, 'manager');
    await page.context().close();
    app.quiet();
  });

  test('invitations stand there in all their states, are sent again and withdrawn', async () => {
    const page = await app.signedIn('hr-admin');
    await page.goto(`${app.url}/people/invitations`);
    await row(page, 'Manager of people').getByText('Accepted').filter({ visible: true }).waitFor();
    await row(page, 'Employee of the north').getByText('Pending').filter({ visible: true }).waitFor();
    await page.getByRole('button', { name: 'Send again: invitation of Employee of the north' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Send again', exact: true }).click();
    const first = await dialog.getByLabel('Link for Employee of the north').inputValue();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Withdraw: invitation of Employee of the north' }).click();
    await look(page, 'people-withdraw');
    await dialog.getByRole('button', { name: 'Withdraw', exact: true }).click();
    await row(page, 'Employee of the north').getByText('Withdrawn').filter({ visible: true }).waitFor();
    await look(page, 'people-invitations');
    const stranger = await app.visitor();
    await stranger.goto(first);
    await stranger.getByRole('link', { name: /sign in/i }).waitFor();
    await stranger.context().close();
    await page.getByText('Expired', { exact: true }).first().click();
    await page.waitForURL('**/people/invitations?status=expired');
    await page.getByText('Nothing matches').waitFor();
    await look(page, 'people-invitations-filtered');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await row(page, 'Manager of people').waitFor();
    await page.context().close();
    app.quiet();
  });

  test('people stand by rank; search and filters are in the address', async () => {
    await invitePerson(app.url, company.admin, 'employee', 'worker');
    await invitePerson(app.url, company.admin, 'customer', 'buyer');
    const page = await app.signedIn('hr-admin');
    await page.goto(`${app.url}/people`);
    await row(page, 'customer person').waitFor();
    await page.getByText('4 people').waitFor();
    const roles = await page.getByRole('table', { name: 'People' }).getByRole('row').allInnerTexts();
    const order = ['HR admin', 'HR manager', 'Employee', 'Customer'];
    expect(roles.slice(1).map((text) => order.findLast((role) => text.includes(role)))).toEqual(order);
    await look(page, 'people');
    await page.getByRole('searchbox', { name: 'Search people' }).fill('buyer');
    await page.waitForURL('**/people?q=buyer');
    await page.getByText('1 person').waitFor();
    await choose(page, page.getByRole('main'), 'State', 'Deactivated');
    await page.waitForURL(/state=inactive/);
    await page.getByText('Nothing matches').waitFor();
    await look(page, 'people-filtered');
    await page.reload();
    await page.getByText('Nothing matches').waitFor();
    expect(await page.getByRole('searchbox', { name: 'Search people' }).inputValue()).toBe('buyer');
    await page.getByRole('button', { name: 'Clear filters' }).first().click();
    await page.getByText('4 people').waitFor();
    await page.context().close();
    app.quiet();
  });

  test('a person is opened, renamed, given another role, deactivated and reactivated', async () => {
    const page = await app.signedIn('hr-admin');
    await page.goto(`${app.url}/people`);
    await page.getByRole('button', { name: 'Open employee person' }).click();
    const drawer = page.getByRole('dialog').filter({ hasText: 'What this role may do' });
    await drawer.getByText('worker@people.example').waitFor();
    await look(page, 'person');
    await drawer.getByRole('button', { name: 'Change name' }).click();
    const rename = page.getByRole('dialog', { name: 'Change the name of employee person' });
    await rename.getByLabel('Full name').fill('\u202e');
    await rename.getByRole('button', { name: 'Save' }).click();
    await rename.getByText(/may not stand here/).waitFor();
    await rename.getByLabel('Full name').fill('Worker of the north');
    await rename.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog', { name: 'Worker of the north' }).waitFor();
    await drawer.getByRole('button', { name: 'Change role' }).click();
    const role = page.getByRole('dialog', { name: 'Change the role of Worker of the north' });
    await role.getByRole('radio', { name: 'HR manager' }).waitFor();
    expect(await role.getByRole('radio').count(), 'no role as high as the own').toBe(3);
    await role.getByRole('radio', { name: 'HR manager' }).check();
    await look(page, 'person-role');
    await role.getByRole('button', { name: 'Change role' }).click();
    await page.getByText('now has the role “HR manager”').waitFor();
    await drawer.getByRole('button', { name: 'Deactivate' }).click();
    const deactivate = page.getByRole('dialog', { name: 'Deactivate Worker of the north?' });
    await deactivate.getByText(/signed out on every device at once/).waitFor();
    await look(page, 'person-deactivate');
    await deactivate.getByRole('button', { name: 'Deactivate' }).click();
    await page.getByText('is deactivated.').waitFor();
    await expect(logIn(app.url, 'worker')).rejects.toThrow(/401/);
    await drawer.getByRole('button', { name: 'Reactivate' }).click();
    await page
      .getByRole('dialog', { name: /^Reactivate/ })
      .getByRole('button', { name: 'Reactivate' })
      .click();
    await page.getByText('is active again.').waitFor();
    await logIn(app.url, 'worker');
    await drawer.getByRole('button', { name: 'Send a link for a new password' }).click();
    const reset = page.getByRole('dialog', { name: /^A new password/ });
    await reset.getByRole('button', { name: 'Make the link' }).click();
    expect(await reset.getByLabel('Link for Worker of the north').inputValue()).toContain('/reset-password?token=');
    await page.context().close();
    app.quiet();
  });

  test('a manager sees and invites only below; oneself cannot be changed', async () => {
    const page = await app.signedIn('manager');
    await page.goto(`${app.url}/people`);
    await row(page, 'customer person').waitFor();
    await page.getByText('2 people').waitFor();
    expect(await row(page, 'HR admin').count()).toBe(0);
    expect(await page.getByRole('button', { name: /^Actions for/ }).count()).toBe(1);
    await page.getByRole('button', { name: 'Open Manager of people' }).click();
    await page.getByText('This is you.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Invite people' }).click();
    await page.getByRole('dialog').getByRole('combobox', { name: 'Role' }).click();
    expect(await page.getByRole('option').allInnerTexts()).toEqual(['Employee', 'Customer']);
    await page.keyboard.press('Escape');
    await page.context().close();
    app.quiet();
  });

  test('company settings: refusals beside their fields, the name in every head, the trail checked', async () => {
    const page = await app.signedIn('hr-admin');
    await page.getByRole('link', { name: 'Company settings' }).click();
    const name = page.getByLabel('Name', { exact: true });
    await name.fill('');
    await page.getByRole('radio', { name: /^Open/ }).check();
    await page.getByRole('region', { name: 'Company', exact: true }).getByRole('button', { name: 'Save' }).click();
    await page.getByText('must not be empty').waitFor();
    expect(await page.getByRole('radio', { name: /^Open/ }).isChecked(), 'nothing chosen is lost').toBe(true);
    await name.fill('North Harbour Shipping');
    await page.getByRole('region', { name: 'Company', exact: true }).getByRole('button', { name: 'Save' }).click();
    await page.getByRole('banner').getByText('North Harbour Shipping').waitFor();
    const kinds = page.getByRole('combobox', { name: 'Refused kinds' });
    await kinds.fill('exe');
    await kinds.press('Enter');
    const refused = page.getByRole('region', { name: 'Files that are refused' });
    await refused.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/“exe”: an ending/).waitFor();
    await look(page, 'settings');
    await kinds.press('Backspace');
    await kinds.fill('.EXE,video/*,');
    await refused.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').first().waitFor();
    await page.reload();
    await refused.getByText('.exe', { exact: true }).waitFor();
    await refused.getByText('video/*', { exact: true }).waitFor();
    await page.getByRole('tab', { name: 'Roles' }).click();
    await page.getByRole('heading', { name: 'HR manager' }).waitFor();
    await look(page, 'settings-roles');
    await page.getByRole('tab', { name: 'Audit trail' }).click();
    await row(page, 'company.changed').first().waitFor();
    await page.getByRole('button', { name: 'Check the trail' }).click();
    await page.getByText('Nothing is missing').waitFor();
    await look(page, 'settings-audit');
    await page
      .getByRole('button', { name: /^Details of company.changed/ })
      .first()
      .click();
    await page.getByRole('dialog').getByText('Request id').waitFor();
    await look(page, 'settings-audit-row');
    await page.context().close();
    app.quiet();
  });

  test('the pages fit a phone in German', async () => {
    const page = await app.signedIn('hr-admin', { viewport: { width: 390, height: 844 } });
    for (const language of ['de']) {
      await page.evaluate((name) => localStorage.setItem('strongroom.language', name), language);
      for (const path of ['people', 'people/invitations', 'settings', 'settings/roles', 'settings/audit']) {
        await page.goto(`${app.url}/${path}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await expectAccessible(page);
        await expectNoSideways(page);
        await page.screenshot({ path: join(shots, `people-${language}-${path.replace('/', '-')}.png`) });
      }
    }
    await page.context().close();
    app.quiet();
  });
});
