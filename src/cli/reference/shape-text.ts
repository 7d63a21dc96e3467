/** Shapes as short text for people: `{ name: text, slug?: text (≤ 40) }`. */
import { z } from 'zod';
import type { AnswerShape } from '../../kernel/contract.ts';

type Schema = { readonly [key: string]: unknown };

/** JSON Schema of what a client sends (`input`) or gets (`output`). */
function schemaOf(shape: z.ZodType, io: 'input' | 'output'): Schema {
  return z.toJSONSchema(shape, { io, unrepresentable: 'any', reused: 'inline' }) as Schema;
}

function typeText(schema: Schema, depth: number): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `"${value}"`).join(' \\| ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const either = (schema.anyOf ?? schema.oneOf) as readonly Schema[] | undefined;
  if (either !== undefined) return either.map((each) => typeText(each, depth)).join(' \\| ');
  const { type } = schema;
  if (Array.isArray(type)) return type.map((each) => typeText({ ...schema, type: each }, depth)).join(' \\| ');
  switch (type) {
    case 'object':
      return objectText(schema, depth);
    case 'array':
      return `[${typeText((schema.items ?? {}) as Schema, depth)}]`;
    case 'string':
      return 'text';
    case undefined:
      return 'any';
    default:
      return String(type);
  }
}

function objectText(schema: Schema, depth: number): string {
  const properties = schema.properties as Readonly<Record<string, Schema>> | undefined;
  if (properties === undefined || depth >= 3) return 'object';
  const required = new Set((schema.required as readonly string[] | undefined) ?? []);
  const members = Object.entries(properties).map(
    ([name, member]) => `${name}${required.has(name) ? '' : '?'}: ${typeText(member, depth + 1)}`,
  );
  return `{ ${members.join(', ')} }`;
}

export function shapeText(shape: z.ZodType, io: 'input' | 'output'): string {
  return typeText(schemaOf(shape, io), 0);
}

export function answerText(shape: AnswerShape): string {
  if (shape === null) return 'no body';
  if (shape === 'binary') return 'bytes';
  if (shape === 'text' || shape === 'html') return shape;
  return `\`${shapeText(shape, 'output').replaceAll('\\|', '|')}\``;
}

export interface Field {
  readonly name: string;
  readonly required: boolean;
  readonly type: string;
  readonly about: string;
}

/** The members of an object's shape, for a table. */
export function fieldsOf(shape: z.ZodType): Field[] {
  const schema = schemaOf(shape, 'input');
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>;
  const required = new Set((schema.required as readonly string[] | undefined) ?? []);
  return Object.entries(properties).map(([name, member]) => ({
    name,
    required: required.has(name),
    type: typeText(member, 1),
    about: [member.description, limits(member)].filter((part) => part !== undefined && part !== '').join('; '),
  }));
}

function limits(schema: Schema): string {
  const { minLength, maxLength, minimum, maximum, maxItems } = schema as Readonly<Record<string, number | undefined>>;
  return [
    minLength === undefined ? '' : `at least ${minLength} characters`,
    maxLength === undefined ? '' : `at most ${maxLength} characters`,
    minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? '' : `from ${minimum}`,
    maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : `to ${maximum}`,
    maxItems === undefined ? '' : `at most ${maxItems}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}
