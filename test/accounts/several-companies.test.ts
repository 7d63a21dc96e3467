/** A person with several companies: going on in another one by its short name, and being told all of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProblemError } from '../../src/client/index.ts';
import { startTestProgram, type TestCompany, type TestPerson, type TestProgram } from '../support/program.ts';
import { password } from '../support/story.ts';

let running: TestProgram;
let first: TestCompany;
let second: TestCompany;
let here: TestPerson;
beforeAll(async () => {
  running = await startTestProgram();
  first = await running.company('First');
  second = await running.company('Second');
  here = await running.person(first.admin, 'employee', 'both@example.com');
  await running.person(second.admin, 'customer', 'both@example.com');
});
afterAll(() => running?.stop());

const codeOf = async (asking: Promise<unknown>) => {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof ProblemError ? [error.status, error.code, error.problem.detail] : error;
};

test('a short name that is none, the own one and a wrong password are refused in one way', async () => {
  const refused = [401, 'invalid_credentials', expect.any(String)];
  const tries = [
    { company_id: 'no-such-company', password },
    { company_id: '../second', password },
    { company_id: first.slug, password },
    { company_id: second.slug, password: `${password}x` },
  ];
  const answers: unknown[] = [];
  for (const body of tries) answers.push(await codeOf(here.client.accounts.switchCompany({ body })));
  expect(answers).toEqual(tries.map(() => refused));
  expect(new Set(answers.map((answer) => (answer as string[])[2])).size).toBe(1);
  // Without the password a short name leads nowhere, linked or not.
  expect(await codeOf(here.client.accounts.switchCompany({ body: { company_id: second.slug } }))).toEqual([
    403,
    'password_required',
    expect.any(String),
  ]);
});

test('with the password the short name leads there, and both sides then know of both', async () => {
  expect((await here.client.accounts.me()).companies.map(({ id }) => id)).toEqual([first.id]);
  const there = await here.client.accounts.switchCompany({ body: { company_id: second.slug, password } });
  expect(there.company?.id).toBe(second.id);
  expect(there.user.role).toBe('customer');
  const me = await here.client.accounts.me();
  expect(me.company?.id).toBe(second.id);
  expect(me.companies.map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
  const back = await here.client.accounts.switchCompany({ body: { company_id: first.id } });
  expect(back.company?.id).toBe(first.id);
  expect((await here.client.accounts.me()).companies).toHaveLength(2);
});

test('operators are told of no companies', async () => {
  const { client } = await running.operator();
  expect(await client.accounts.me()).toMatchObject({ company: null, companies: [] });
});
