/** docs/reference/http.md, from the contracts. */
import type { z } from 'zod';
import type { Access, RouteSpec } from '../../kernel/contract.ts';
import { contracts } from './contracts.ts';
import { answerText, type Field, fieldsOf } from './shape-text.ts';

function accessText(access: Access): string {
  switch (access.who) {
    case 'anyone':
      return 'anyone';
    case 'operator':
      return 'operators (`system_admin`)';
    case 'signed_in':
      return 'everybody who is signed in';
    case 'host':
      return 'the host alone';
    case 'member':
      return `users of a company with ${access.anyOf.map((permission) => `\`${permission}\``).join(' or ')}`;
  }
}

function table(title: string, fields: readonly Field[]): string[] {
  if (fields.length === 0) return [];
  const rows = fields.map(
    ({ name, required, type, about }) => `| \`${name}\` | ${type} | ${required ? 'yes' : ''} | ${about} |`,
  );
  return ['', `| ${title} | Type | Required | |`, '|---|---|---|---|', ...rows];
}

function notes(route: RouteSpec): string[] {
  const parts = [
    route.bodyKind === undefined || route.bodyKind === 'json' ? '' : `Body: ${route.bodyKind.replaceAll('_', ' ')}.`,
    route.creates === undefined ? '' : 'Honours `Idempotency-Key`.',
    route.guarded === true ? 'Failures are counted by address and account (429).' : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? [] : ['', parts.join(' ')];
}

const filePart: Field = { name: 'file', required: true, type: 'bytes', about: 'The file, with its name' };

function bodyTable(route: RouteSpec, shape: z.ZodType): [string, readonly Field[]] {
  return route.bodyKind === 'multipart' ? ['Part', [filePart, ...fieldsOf(shape)]] : ['Body', fieldsOf(shape)];
}

function section(route: RouteSpec): string {
  const answers = Object.entries(route.answers).map(([status, shape]) => `- **${status}** ${answerText(shape)}`);
  const errors = (route.errors ?? []).map((code) => `[\`${code}\`](errors.md#${code})`);
  return [
    `### ${route.method} ${route.path}`,
    '',
    `${route.summary}.${route.description === undefined ? '' : ` ${route.description}`}`,
    '',
    `For ${accessText(route.access)}.`,
    ...notes(route),
    ...(route.query === undefined ? [] : table('Query', fieldsOf(route.query))),
    ...(route.body === undefined ? [] : table(...bodyTable(route, route.body))),
    '',
    ...answers,
    ...(errors.length === 0 ? [] : [`- refusals of its own: ${errors.join(', ')}`]),
  ].join('\n');
}

export function httpPage(): string {
  const parts = contracts.map(({ title, contract }) => {
    const sections = Object.values(contract)
      .filter((route) => route.access.who !== 'host')
      .map(section);
    return `## ${title}\n\n${sections.join('\n\n')}`;
  });
  return `# The API over HTTP

Made from the contracts. The same as OpenAPI 3.1: \`GET /openapi.json\`; a page to try it: \`GET /docs\`.

Paths stand under \`/api\`; \`/api/v1\` is the same API. Refusals are problem documents
(\`application/problem+json\`, RFC 9457) with a stable \`code\`: see [errors](errors.md). Every list is
\`{ items, next_cursor, total? }\` with \`?limit=\` (1 to 200, default 50) and \`?cursor=\`. Times are ISO 8601 in UTC.
Sign in at \`POST /api/auth/login\` and send \`Authorization: Bearer <access_token>\`.

${parts.join('\n\n')}
`;
}
