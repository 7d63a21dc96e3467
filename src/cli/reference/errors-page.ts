/**
 * docs/reference/errors.md: every code that an answer can carry. Which routes give it comes from the contracts; the
 * text and the kind come from the place in the source that throws it, so that no second list has to be kept.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ErrorKind, errorKinds } from '../../kernel/errors.ts';
import { statusOfKind } from '../../server/problem.ts';
import { contracts } from './contracts.ts';

export interface ThrownCode {
  readonly code: string;
  readonly status: number;
  readonly text: string;
}

// A text, as a literal or a template; where it is made elsewhere the code is still found.
const string = String.raw`'((?:[^'\\\n]|\\.)*)'|\x60((?:[^\x60\\]|\\.)*)\x60|[a-z]`;
const helpers: readonly {
  readonly pattern: RegExp;
  readonly read: (found: readonly string[]) => ThrownCode | undefined;
}[] = [
  // new StrongroomError('kind', 'code', 'text'
  {
    pattern: new RegExp(String.raw`StrongroomError\(\s*'(\w+)',\s*'(\w+)',\s*(?:${string})`, 'g'),
    read: ([, kind = '', code = '', plain, template]) =>
      errorKinds.includes(kind as ErrorKind)
        ? { code, status: statusOfKind[kind as ErrorKind], text: plain ?? template ?? '' }
        : undefined,
  },
  // conflict('code', 'text'   unavailable('code', 'text'   limited('code', 'text'
  {
    pattern: new RegExp(String.raw`\b(conflict|unavailable|limited)\(\s*'(\w+)',\s*(?:${string})`, 'g'),
    read: ([, name, code = '', plain, template]) => ({
      code,
      status: name === 'conflict' ? 409 : name === 'limited' ? 429 : 503,
      text: plain ?? template ?? '',
    }),
  },
  // forbidden('text', 'code'   unauthenticated('text', 'code'
  {
    pattern: new RegExp(String.raw`\b(forbidden|unauthenticated)\(\s*(?:${string}),\s*'(\w+)'`, 'g'),
    read: ([, name, plain, template, code = '']) => ({
      code,
      status: name === 'forbidden' ? 403 : 401,
      text: plain ?? template ?? '',
    }),
  },
  // invalidField('path', 'text', 'code'
  {
    pattern: new RegExp(
      String.raw`\binvalidField\(\s*(?:'[^']*'|\x60[^\x60]*\x60|\w+),\s*(?:${string}),\s*'(\w+)'`,
      'g',
    ),
    read: ([, plain, template, code = '']) => ({ code, status: 422, text: plain ?? template ?? '' }),
  },
  // new Refusal(404, 'code', 'text'
  {
    pattern: new RegExp(String.raw`Refusal\(\s*(\d{3}),\s*'(\w+)',\s*(?:${string})`, 'g'),
    read: ([, status, code = '', plain, template]) => ({ code, status: Number(status), text: plain ?? template ?? '' }),
  },
];

/** Codes that are defaults of helpers, or whose text is put together where they are thrown. */
const general: readonly ThrownCode[] = [
  { code: 'invalid', status: 422, text: 'The request breaks a rule; `errors` names the fields.' },
  { code: 'unauthenticated', status: 401, text: 'Sign in, and send a valid access token.' },
  { code: 'forbidden', status: 403, text: 'Known caller, but not allowed.' },
  { code: 'not_found', status: 404, text: 'Unknown, malformed, of another company, or not visible to you: all alike.' },
  { code: 'filename_taken', status: 409, text: 'The owner has a document of this name here; `document_id` names it.' },
  { code: 'upload_expired', status: 410, text: 'The upload has expired or is over. Begin it again.' },
  { code: 'internal', status: 500, text: 'Something went wrong. The request id names it in the log.' },
];

function sources(): string[] {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes(join('src', 'cli')))
    .sort();
}

/** Every code with its status and text, from the source. */
export function thrownCodes(): ReadonlyMap<string, ThrownCode> {
  const codes = new Map<string, ThrownCode>(general.map((each) => [each.code, each]));
  for (const path of sources()) {
    const text = readFileSync(path, 'utf8');
    for (const { pattern, read } of helpers) {
      for (const found of text.matchAll(pattern)) {
        const thrown = read(found as unknown as readonly string[]);
        // A fault is answered as `internal` in words; its code is for the log.
        if (thrown === undefined || thrown.status === 500 || codes.has(thrown.code)) continue;
        codes.set(thrown.code, thrown);
      }
    }
  }
  return codes;
}

/** Routes by code. */
function routesByCode(): ReadonlyMap<string, readonly string[]> {
  const routes = new Map<string, string[]>();
  for (const { contract } of contracts) {
    for (const route of Object.values(contract)) {
      if (route.access.who === 'host') continue;
      for (const code of route.errors ?? []) {
        routes.set(code, [...(routes.get(code) ?? []), `${route.method} ${route.path}`]);
      }
    }
  }
  return routes;
}

export function errorsPage(): string {
  const thrown = thrownCodes();
  const routes = routesByCode();
  const codes = [...new Set([...thrown.keys(), ...routes.keys()])].sort();
  const kinds = errorKinds.map((kind) => `| \`${kind}\` | ${statusOfKind[kind]} |`);
  const sections = codes.map((code) => {
    const known = thrown.get(code);
    const where = routes.get(code);
    return [
      `### ${code}`,
      '',
      known === undefined
        ? ''
        : `${known.status}. ${known.text
            .replace(/\$\{[^}]*\}/g, '…')
            .replaceAll("\\'", "'")
            .replaceAll('\\n', ' ')}`,
      ...(where === undefined ? [] : ['', ...where.map((route) => `- \`${route}\``)]),
    ]
      .join('\n')
      .trim();
  });
  return `# Errors

Made from the contracts and from the places that refuse. Every refusal is a problem document
(\`application/problem+json\`, RFC 9457):

\`\`\`json
{ "type": "/problems/slug_taken", "title": "Conflict", "status": 409, "detail": "…", "code": "slug_taken", "instance": "<request id>" }
\`\`\`

\`code\` is stable; \`detail\` is for people and may change. 422 also has \`errors: [{ path, message }]\`. A refusal has no
effect, apart from audit rows and counters. What the caller may not see is answered 404, as if it did not exist.

| Kind | Status |
|---|---|
${kinds.join('\n')}

Besides: 400 what cannot be parsed, 405 a method that the path does not have, 408 a body that came too slowly, 431
headers that are too large.

${sections.join('\n\n')}
`;
}
