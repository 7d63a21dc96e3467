/** What fields mean, for the OpenAPI document: by the contract's own words first, else by the name of the field. */

type Json = { [member: string]: unknown };

const texts: Readonly<Record<string, string>> = {
  id: 'Identifier: a type prefix and 26 characters',
  items: 'The members of this page',
  next_cursor: 'Send as `cursor` for the next page; null on the last',
  cursor: 'Where to go on: `next_cursor` of the page before',
  limit: 'Members of one page',
  total: 'How many there are in all',
  sort: 'Order; a minus sign in front turns it round',
  q: 'Words to look for, taken literally',
  email: 'E-mail address',
  username: 'User name, compared in lower case',
  full_name: 'Name of the person',
  password: 'The password, taken exactly as it is',
  role: 'Role within the company, or `system_admin`',
  permissions: 'What the role may do',
  slug: 'Short name for addresses, unique',
  name: 'Name as people write it',
  token: 'One-time token',
  expires_at: 'When it stops working (ISO 8601, UTC)',
  created_at: 'When it was made (ISO 8601, UTC)',
  updated_at: 'When it was last changed (ISO 8601, UTC)',
  size_bytes: 'Size in bytes',
  sha256: 'SHA-256 of the bytes, in hex',
  mime_type: 'Type of the content',
  filename: 'Name of the file',
  version: 'Number of the version',
  metadata: 'Own fields of the document',
  basket_id: 'The basket it lies in, or null',
  owner: 'The person it belongs to',
  company: 'The company',
  company_id: 'Identifier of the company',
  type: 'Stable relative URI of the kind of problem',
  title: 'What the status means',
  status: 'State',
  detail: 'What is wrong, for a person',
  code: 'What is wrong, for a program; stable',
  instance: 'Identifier of the request',
  errors: 'The fields that break a rule',
  path: 'Where the field stands, with dots',
  message: 'What is wrong, for a person',
  access_token: 'Bearer token, valid for ten minutes',
  refresh_token: 'Exchanged for a new pair, once',
  token_type: 'Always `bearer`',
  expires_in: 'Life of the access token in seconds',
  setup_url: 'Link for the invited person; only in this answer',
};

/** `schema` with a description on every field. Answers may grow, so they are not closed. */
export function describeFields(schema: Json, name: string | undefined, answer: boolean): Json {
  const described: Json = { ...schema };
  if (name !== undefined) described.description ??= texts[name] ?? humanText(name);
  if (answer && described.additionalProperties === false) delete described.additionalProperties;
  for (const keyword of ['properties', '$defs'] as const) {
    const members = schema[keyword] as Record<string, Json> | undefined;
    if (members === undefined) continue;
    const entries = Object.entries(members).map(([key, member]) => [key, describeFields(member, key, answer)] as const);
    described[keyword] = Object.fromEntries(entries);
  }
  for (const keyword of ['items', 'additionalProperties'] as const) {
    const inner = schema[keyword];
    if (inner !== null && typeof inner === 'object')
      described[keyword] = describeFields(inner as Json, undefined, answer);
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf'] as const) {
    const options = schema[keyword] as Json[] | undefined;
    if (options !== undefined) described[keyword] = options.map((option) => describeFields(option, undefined, answer));
  }
  return described;
}

function humanText(name: string): string {
  const words = name.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
