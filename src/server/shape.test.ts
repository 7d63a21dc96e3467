import { expect, test } from 'vitest';
import { z } from 'zod';
import { pickerOf } from './shape.ts';

const Person = z.object({ id: z.string(), name: z.string().nullable() });
const secret = { password_hash: 'never', tenant_key: 'never' };

test.each([
  ['an object', Person, { id: 'a', name: null, ...secret }, { id: 'a', name: null }],
  [
    'a list',
    z.object({ items: z.array(Person) }),
    { items: [{ id: 'a', name: 'n', ...secret }], ...secret },
    { items: [{ id: 'a', name: 'n' }] },
  ],
  [
    'nullable and optional members',
    z.object({ a: Person.nullable(), b: Person.optional() }),
    { a: { id: 'a', name: 'n', ...secret } },
    { a: { id: 'a', name: 'n' } },
  ],
  ['null stays', z.object({ a: Person.nullable() }), { a: null, ...secret }, { a: null }],
  ['a record', z.record(z.string(), Person), { x: { id: 'a', name: 'n', ...secret } }, { x: { id: 'a', name: 'n' } }],
  [
    'own fields of people',
    z.object({ metadata: z.record(z.string(), z.unknown()) }),
    { metadata: { any: [1] }, ...secret },
    { metadata: { any: [1] } },
  ],
  [
    'a union',
    z.union([z.object({ kind: z.literal('a'), x: z.string() }), z.object({ kind: z.literal('b') })]),
    { kind: 'b', x: 1, ...secret },
    { kind: 'b' },
  ],
  ['a union that nothing fits', z.union([Person, z.object({ other: z.string() })]), { ...secret }, undefined],
  [
    'an intersection',
    Person.and(z.object({ more: z.number() })),
    { id: 'a', name: 'n', more: 1, ...secret },
    { id: 'a', name: 'n', more: 1 },
  ],
  [
    'a tree',
    tree(),
    { id: '1', children: [{ id: '2', children: [], ...secret }], ...secret },
    { id: '1', children: [{ id: '2', children: [] }] },
  ],
])('%s: what the shape names, and nothing else', (_name, shape, value, expected) => {
  expect(pickerOf(shape)(value)).toEqual(expected);
});

test('what holds nothing else is given as it is, without a copy', () => {
  const shape = z.object({ items: z.array(Person), next: z.string().nullable() });
  const value = { items: [{ id: 'a', name: 'n' }], next: null };
  expect(pickerOf(shape)(value)).toBe(value);
  const [first, second] = [value.items[0]!, { id: 'b', name: null, ...secret }];
  const picked = pickerOf(shape)({ ...value, items: [first, second] }) as typeof value;
  expect(picked.items[0]).toBe(first);
  expect(picked.items[1]).toEqual({ id: 'b', name: null });
  expect(second).toMatchObject(secret);
});

test('an object is never asked for another text of itself', () => {
  class Spoken {
    id = 'a';
    name = 'n';
    toJSON() {
      return secret;
    }
  }
  expect(JSON.stringify(pickerOf(Person)(new Spoken()))).toBe('{"id":"a","name":"n"}');
  expect(JSON.stringify(pickerOf(Person)({ ...new Spoken(), toJSON: () => secret }))).toBe('{"id":"a","name":"n"}');
});

function tree(): z.ZodType {
  const node: z.ZodType = z.object({ id: z.string(), children: z.array(z.lazy(() => node)) });
  return node;
}
