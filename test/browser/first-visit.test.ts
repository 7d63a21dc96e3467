/** The first visit by clicking alone: set up, sign in and out, invitation, passwords; axe and pictures of each page. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCall, logIn, password } from '../support/story.ts';
import { type App, executablePath, signIn, startApp } from './support/app.ts';
import { look } from './support/look.ts';

describe.skipIf(executablePath === undefined)('first visit', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app?.stop());

  test('the one-time link makes the first operator, who sees the console', async () => {
    const page = await app.visitor();
    await page.goto(`${app.url}/setup?token=${app.server.setupToken}`);
    await page.getByLabel('User name').fill('operator');
    expect(new URL(page.url()).search, 'the token stays in no address').toBe('');
    await page.getByLabel('E-mail address').fill('operator@example.com');
    await page.getByLabel('Password', { exact: true }).fill('password1');
    await look(page, 'setup');
    await page.getByRole('button', { name: 'Create operator' }).click();
    // What the server refuses stands beside the field, and nothing typed is lost.
    const secret = page.getByLabel('Password', { exact: true });
    await page.getByText('This password is one of the first').waitFor();
    expect(await secret.getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('User name').inputValue()).toBe('operator');
    await secret.fill(password);
    await page.getByRole('button', { name: 'Create operator' }).click();
    await page.waitForURL('**/operator');
    await page.getByRole('banner').getByText('Operator', { exact: true }).waitFor();
    await look(page, 'operator-home');
    await page.context().close();
    app.quiet();
  });

  test('signing in leads back to the address, a reload keeps the session, signing out ends it', async () => {
    const page = await app.visitor();
    await page.goto(`${app.url}/account?x=1`);
    await page.waitForURL('**/sign-in**');
    await look(page, 'sign-in');
    await page.getByLabel('User name or e-mail address').fill('operator');
    await page.getByLabel('Password', { exact: true }).fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    expect(await page.getByLabel('User name or e-mail address').inputValue()).toBe('operator');
    await look(page, 'sign-in-refused');
    await signIn(page, app.url, 'operator');
    expect(page.url()).toBe(`${app.url}/account?x=1`);
    await page.reload();
    await page.getByRole('heading', { name: 'Account', level: 1 }).waitFor();
    await page.getByRole('button', { name: /Account of/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.waitForURL('**/sign-in**');
    await page.goto(`${app.url}/operator`);
    await page.waitForURL('**/sign-in**');
    await page.context().close();
    app.quiet();
  });

  test('an invitation says who, where and as what, and signs in', async () => {
    const { access_token } = await logIn(app.url, 'operator');
    const made = await expectCall<{ invitation: { token: string } }>(201, app.url, 'POST', '/api/companies', {
      token: access_token,
      body: {
        name: 'North Harbour Logistics',
        email: 'hr-admin@north.example',
        admin: { email: 'hr-admin@north.example', full_name: 'HR admin' },
      },
    });
    const page = await app.visitor();
    await page.goto(`${app.url}/invitation?token=${made.invitation.token}`);
    await page.getByText('North Harbour Logistics').waitFor();
    await page.getByText('HR admin', { exact: true }).waitFor();
    await page.getByLabel('Password', { exact: true }).fill('hr-admin');
    await look(page, 'invitation');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Accept and sign in' }).click();
    await page.waitForURL('**/documents');
    await page.getByRole('banner').getByText('North Harbour Logistics').waitFor();
    await look(page, 'documents-home');
    await page.goto(`${app.url}/operator`);
    await page.getByRole('heading', { name: 'This page is not for your role' }).waitFor();
    await look(page, 'forbidden');
    await page.goto(`${app.url}/nowhere`);
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    await look(page, 'not-found');
    await page.context().close();
    app.quiet();
  });
});
