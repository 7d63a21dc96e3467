/**
 * Params, query and body parsed by the contract's shapes. What does not fit a parameter of the path is 404, as unknown
 * is; everything else that breaks a rule is 422 with the fields that break it.
 */
import type { z } from 'zod';
import type { RouteSpec } from '../kernel/contract.ts';
import { type FieldError, notFound } from '../kernel/errors.ts';
import { queryPairs, quoted } from './query.ts';
import { malformed, Refusal } from './refusal.ts';

const maxFields = 50;
/** A tenant is never chosen by a parameter, and a token never travels in an address. */
const misplaced = /^(?:x-)?(?:tenant|company|organi[sz]ation)(?:[_-]?(?:id|slug))?$/i;
const tokens = /^(?:access_?token|token|authorization|bearer|api_?key)$/i;

/** @throws not_found */
export function parseParams(spec: RouteSpec, params: unknown): unknown {
  if (spec.params === undefined) return undefined;
  const result = spec.params.safeParse(params);
  if (!result.success || JSON.stringify(params).includes('\\u0000')) throw notFound();
  return result.data;
}

/** @throws Refusal 400, 422 */
export function parseQuery(spec: RouteSpec, target: string): unknown {
  if (!target.includes('?')) {
    return spec.query === undefined ? undefined : checked(spec.query, {}, 'The query breaks a rule.');
  }
  const pairs = queryPairs(target);
  if (spec.single === true && spec.query === undefined) return undefined;
  const catchall = spec.query?._zod.def.catchall;
  const open = catchall !== undefined && catchall._zod.def.type !== 'never';
  for (const name of Object.keys(pairs)) {
    if (spec.query !== undefined && Object.hasOwn(spec.query.shape, name)) continue;
    if (misplaced.test(name)) throw malformed('The company comes from the token alone.', 'company_in_query');
    if (tokens.test(name)) throw malformed('Tokens are taken from the header Authorization alone.', 'token_in_query');
    if (open) continue;
    const fields = [{ path: name.slice(0, 100), message: 'there is no such parameter' }];
    throw new Refusal(422, 'unknown_parameter', `There is no parameter ${quoted(name)} here.`, { fields });
  }
  return spec.query === undefined ? undefined : checked(spec.query, { ...pairs }, 'The query breaks a rule.');
}

/** @throws Refusal 422 */
export function parseBody(spec: RouteSpec, body: unknown): unknown {
  return spec.body === undefined ? undefined : checked(spec.body, body, 'The body breaks a rule.');
}

function checked(schema: z.ZodType, value: unknown, message: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Refusal(422, 'invalid', message, { fields: fieldErrors(result.error.issues) });
}

/** What zod says, as `{ path, message }`, one for each key that is not known, cut at 50. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[]): FieldError[] {
  const fields: FieldError[] = [];
  for (const issue of issues) {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys.slice(0, maxFields)) fields.push(field([...path, key], 'there is no such field'));
    } else {
      fields.push(field(path, issue.message));
    }
    if (fields.length >= maxFields) break;
  }
  return fields.slice(0, maxFields);
}

function field(path: readonly string[], message: string): FieldError {
  return { path: path.map((step) => step.slice(0, 100)).join('.'), message };
}
