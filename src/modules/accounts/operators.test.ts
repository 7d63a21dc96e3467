import { expect, test } from 'vitest';
import { codeOf, openWorld, origin, password } from '../../../test/support/accounts-world.ts';
import type { OperatorCaller } from '../../kernel/handles.ts';
import { createAccounts } from './index.ts';

test('sixty-four set-ups at once make one operator, and the way is closed for ever', async () => {
  const { accounts, kernel } = await openWorld();
  const { operators } = accounts.services;
  const other = createAccounts(kernel).services.operators;
  const old = await accounts.ensureSetupToken();
  const token = await accounts.ensureSetupToken();
  // Half of them as from another process, which shares nothing but the database.
  const attempt = (number: number, given: string) =>
    codeOf(
      (number % 2 === 0 ? operators : other).setUp(
        { token: given, username: `op-${number}`, email: `op-${number}@example.com`, password },
        origin,
      ),
    );
  expect(await attempt(99, old!)).toBe('not_found');
  expect(await attempt(99, 'wrong')).toBe('not_found');
  const codes = await Promise.all(Array.from({ length: 64 }, (_, number) => attempt(number, token!)));
  expect(codes.filter((code) => code === 'no refusal')).toHaveLength(1);
  expect(new Set(codes)).toEqual(new Set(['no refusal', 'not_found']));
  expect(await attempt(99, token!)).toBe('not_found');
  expect(await accounts.ensureSetupToken()).toBeUndefined();
  expect((await operators.list({ limit: 50 })).items).toHaveLength(1);
});

test('a bad password leaves the way open; an operator made by the host closes it', async () => {
  const { accounts } = await openWorld();
  const { operators } = accounts.services;
  const token = await accounts.ensureSetupToken();
  const input = { token: token!, username: 'operator', email: 'operator@example.com' };
  expect(await codeOf(operators.setUp({ ...input, password: 'operator1' }, origin))).toBe('password_personal');
  await accounts.createOperator({ username: 'host-made', email: 'host@example.com', password }, { kind: 'host' });
  expect(await codeOf(operators.setUp({ ...input, password }, origin))).toBe('not_found');
  expect(await accounts.ensureSetupToken()).toBeUndefined();
});

test('operators manage each other, and the last active one stays', async () => {
  const { accounts } = await openWorld();
  const { operators, signIn, sessions } = accounts.services;
  const first = await accounts.createOperator(
    { username: 'first', email: 'first@example.com', password },
    { kind: 'host' },
  );
  const signedIn = await signIn.login({ username: 'first', password }, origin);
  const caller = (await accounts.authenticate(signedIn.accessToken)) as OperatorCaller;
  expect(caller.kind).toBe('operator');
  expect(await codeOf(operators.remove(caller, first.id, origin))).toBe('last_operator');
  expect(await codeOf(operators.update(caller, first.id, { is_active: false }, origin))).toBe('last_operator');
  const taken = { username: 'first', email: 'other@example.com', password };
  expect(await codeOf(operators.create(taken, caller.actor))).toBe('username_taken');
  expect(await codeOf(operators.create({ ...taken, username: 'x1', email: 'first@example.com' }, caller.actor))).toBe(
    'email_taken',
  );
  await operators.create({ username: 'second', email: 'second@example.com', password }, caller.actor);
  const again = await signIn.login({ username: 'second@example.com', password }, origin);
  const other = (await accounts.authenticate(again.accessToken)) as OperatorCaller;
  const pair = await sessions.refresh(again.refreshToken, origin);
  expect(pair.refreshToken).toMatch(/^system\./);
  const goes = await Promise.all([
    codeOf(operators.remove(caller, other.operator.id, origin)),
    codeOf(operators.remove(other, first.id, origin)),
  ]);
  expect(goes.sort()).toEqual(['last_operator', 'no refusal']);
  expect((await operators.list({ limit: 50 })).items).toHaveLength(1);
  for (const id of ['oper_00000000000000000000000000', 'malformed']) {
    expect(await codeOf(operators.remove(caller, id, origin))).toBe('not_found');
  }
});
