/**
 * The contract as an OpenAPI 3.1 document, made from the modules' contracts: each path once and in full, without its
 * `/api/v1` twin and without the host's own routes. Every field carries a description.
 */
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { type AnswerShape, type Contract, Problem, type RouteSpec } from '../kernel/contract.ts';
import { describeFields } from './field-texts.ts';

type Json = { [member: string]: unknown };

/** Refusals that any route with these traits can give, besides those of its own. */
const always = [400, 401, 404, 405, 408, 417, 429, 431, 500, 503];
const summaries: Readonly<Record<number, readonly string[]>> = {
  400: ['malformed_request', 'malformed_json', 'malformed_query', 'duplicate_parameter'],
  401: ['unauthenticated', 'invalid_token'],
  403: ['forbidden', 'cross_site'],
  404: ['not_found'],
  405: ['method_not_allowed'],
  408: ['request_timeout'],
  409: ['idempotency_running'],
  410: ['gone'],
  413: ['body_too_large', 'file_too_large'],
  415: ['unsupported_media_type'],
  417: ['expectation_failed'],
  422: ['invalid', 'unknown_parameter'],
  429: ['too_many_attempts'],
  431: ['headers_too_large'],
  500: ['internal'],
  503: ['unavailable', 'shutting_down'],
  507: ['no_space'],
};

/** The document for these contracts. */
export function openapiDocument(contracts: readonly Contract[]): Json {
  const paths: Record<string, Json> = {};
  for (const contract of contracts) {
    for (const [name, spec] of Object.entries(contract)) {
      if (spec.access.who === 'host') continue;
      paths[spec.path] ??= {};
      paths[spec.path]![spec.method.toLowerCase()] = operation(name, spec);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Strongroom',
      version: '1',
      description:
        'Companies with a database and a bucket of their own. Every path under `/api` is served under `/api/v1` too. ' +
        'Refusals are problem documents (RFC 9457).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: tagsOf(paths),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The access token that signing in gives.',
        },
      },
      schemas: { Problem: schemaOf(Problem, 'output') },
      responses: problemResponses(),
    },
  };
}

function operation(name: string, spec: RouteSpec): Json {
  const { who } = spec.access;
  const description = [spec.description, whoMay(spec)].filter((text) => text !== undefined).join('\n\n');
  return {
    operationId: name,
    summary: spec.summary,
    description,
    tags: [tagOf(spec.path)],
    security: who === 'anyone' ? [{}] : [{ bearer: [] }],
    parameters: parametersOf(spec),
    ...(requestBody(spec) ?? {}),
    responses: responsesOf(spec),
  };
}

function whoMay(spec: RouteSpec): string | undefined {
  const { access } = spec;
  if (access.who === 'anyone') return 'For anyone.';
  if (access.who === 'operator') return 'For operators.';
  if (access.who === 'signed_in') return 'For everybody who is signed in.';
  if (access.who === 'member') return `For users of a company with any of: ${access.anyOf.join(', ')}.`;
  return undefined;
}

/** The first part of the path behind `/api`. */
function tagOf(path: string): string {
  const [first = '', second] = path.split('/').filter((part) => part !== '' && !part.startsWith('{'));
  if (first !== 'api') return 'system';
  return second === 'health' || second === undefined ? 'system' : second;
}

function tagsOf(paths: Readonly<Record<string, Json>>): Json[] {
  const names = new Set(Object.keys(paths).map(tagOf));
  return [...names].map((name) => ({ name, description: `Routes of ${name.replaceAll('-', ' ')}` }));
}

// --- Parameters and bodies -------------------------------------------------------------------------------------------

function parametersOf(spec: RouteSpec): Json[] {
  const parameters: Json[] = [];
  for (const name of [...spec.path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!)) {
    const { description, ...schema } = schemaOf(spec.params?.shape[name] ?? z.string(), 'input', name);
    parameters.push({ name, in: 'path', required: true, description, schema });
  }
  const query = spec.query === undefined ? undefined : schemaOf(spec.query, 'input');
  const required = new Set((query?.required as string[] | undefined) ?? []);
  for (const [name, given] of Object.entries((query?.properties ?? {}) as Record<string, Json>)) {
    const { description, ...schema } = plainParameter(given);
    parameters.push({ name, in: 'query', required: required.has(name), description, schema });
  }
  if (spec.creates !== undefined) {
    parameters.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description: 'The same key gives the same answer and one effect for 24 h, per caller and route.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    });
  }
  return parameters;
}

/** Numbers and flags travel as text; a reader of the document wants to know what they are. */
function plainParameter(schema: Json): Json {
  const { pattern, enum: values, ...rest } = schema;
  if (typeof pattern === 'string' && pattern.startsWith('^[1-9][0-9]{0,2}$')) {
    return { ...rest, type: 'integer', minimum: 1, maximum: 200, default: 50 };
  }
  if (Array.isArray(values) && values.join() === 'true,false') return { ...rest, type: 'boolean' };
  return schema;
}

function requestBody(spec: RouteSpec): Json | undefined {
  if (spec.bodyKind === 'stream') {
    const schema = { type: 'string', format: 'binary', description: 'Raw bytes' };
    const type = spec.path.startsWith('/api/uploads') ? 'application/offset+octet-stream' : 'application/octet-stream';
    return { requestBody: { description: 'The bytes', required: false, content: { [type]: { schema } } } };
  }
  if (spec.bodyKind === 'multipart') {
    return {
      requestBody: {
        description: 'A form',
        required: true,
        content: { 'multipart/form-data': { schema: formSchema(spec) } },
      },
    };
  }
  if (spec.body === undefined) return undefined;
  const schema = schemaOf(spec.body, 'input');
  const kind = spec.bodyKind ?? 'json';
  const content: Json = {};
  if (kind !== 'form') content['application/json'] = { schema };
  if (kind !== 'json') content['application/x-www-form-urlencoded'] = { schema };
  const required = spec.body.safeParse(undefined).success !== true;
  return { requestBody: { description: 'What is asked for', required, content } };
}

function formSchema(spec: RouteSpec): Json {
  const stated = spec.body === undefined ? { type: 'object', properties: {} } : schemaOf(spec.body, 'input');
  const file = { type: 'string', format: 'binary', description: 'The file, with its name' };
  const properties = { file, ...(stated.properties as Json) };
  const required = [...new Set(['file', ...((stated.required as string[] | undefined) ?? [])])];
  return { ...stated, properties, required };
}

// --- Answers ---------------------------------------------------------------------------------------------------------

function responsesOf(spec: RouteSpec): Json {
  const responses: Json = {};
  for (const [status, shape] of Object.entries(spec.answers)) {
    responses[status] = { description: STATUS_CODES[Number(status)] ?? 'Answer', ...content(shape) };
  }
  const refusals = new Set(always);
  if (spec.access.who !== 'anyone') refusals.add(403);
  if (spec.errors !== undefined) for (const status of [403, 409, 410, 422]) refusals.add(status);
  if (spec.creates !== undefined) refusals.add(409);
  if (spec.body !== undefined || spec.bodyKind !== undefined)
    for (const status of [413, 415, 422, 507]) refusals.add(status);
  if (spec.query !== undefined) refusals.add(422);
  for (const status of [...refusals].sort((a, b) => a - b)) {
    if (responses[status] === undefined) responses[status] = { $ref: `#/components/responses/Problem${status}` };
  }
  responses.default = problemResponse('Any other refusal', spec.errors ?? [], 0);
  return responses;
}

function content(shape: AnswerShape): Json {
  if (shape === null) return {};
  const text = { schema: { type: 'string' } };
  if (shape === 'text') return { content: { 'text/plain': text } };
  if (shape === 'html') return { content: { 'text/html': text } };
  if (shape === 'binary') {
    return { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } };
  }
  return { content: { 'application/json': { schema: schemaOf(shape, 'output') } } };
}

function problemResponses(): Json {
  const statuses = [...new Set([...always, ...Object.keys(summaries).map(Number)])];
  return Object.fromEntries(
    statuses.map((status) => {
      const title = STATUS_CODES[status] ?? 'Refused';
      return [`Problem${status}`, problemResponse(title, summaries[status] ?? ['refused'], status)];
    }),
  );
}

function problemResponse(description: string, codes: readonly string[], status: number): Json {
  const examples = Object.fromEntries(codes.map((code) => [code, { summary: code, value: exampleOf(code, status) }]));
  const media: Json = { schema: { $ref: '#/components/schemas/Problem' } };
  if (codes.length > 0) media.examples = examples;
  return { description, content: { 'application/problem+json': media } };
}

function exampleOf(code: string, given: number): Json {
  const status = given === 0 ? 409 : given;
  return {
    type: `/problems/${code}`,
    title: STATUS_CODES[status] ?? 'Refused',
    status,
    detail: 'What is wrong, for a person.',
    code,
    instance: 'a1b2c3d4-000001',
    ...(status === 422 ? { errors: [{ path: 'name', message: 'must not be empty' }] } : {}),
  };
}

// --- Shapes ----------------------------------------------------------------------------------------------------------

function schemaOf(shape: z.ZodType, io: 'input' | 'output', name?: string): Json {
  const made = z.toJSONSchema(shape, { io, unrepresentable: 'any', target: 'draft-2020-12' }) as Json;
  const { $schema: _, ...schema } = made;
  return describeFields(schema, name, io === 'output');
}
