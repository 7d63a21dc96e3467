/**
 * Names, metadata and tags of documents: what may stand in them. Browser-safe.
 *
 * A filename is one name, kept as written but for NFC normalisation; metadata is a JSON object of bounded size and depth.
 */
import { z } from 'zod';
import { codePoints, text } from '../../kernel/shapes.ts';

const override = /[\u202a-\u202e\u2066-\u2069]/;
const visible = /[^\p{Z}\p{C}\u115f\u1160\u2800\u3164\uffa0\s]/u;

/**
 * Why this may not be the name of a document, or undefined where it may. Separators are refused rather than stripped,
 * so that what is shown is what was sent; quotes, tabs and line breaks are fine, and shown escaped.
 */
export function filenameProblem(value: string): string | undefined {
  if (value.length > 510) return 'at most 255 characters';
  if (!value.isWellFormed()) return 'not well-formed Unicode: a surrogate stands alone';
  if (value.includes('\u0000')) return 'must not contain NUL';
  if (/[/\\]/.test(value)) return 'a name, not a path: no slash and no backslash';
  if (override.test(value)) return 'must not change the direction of the text around it';
  if (!visible.test(value)) return 'must contain something visible';
  if (/^\.+$/.test(value)) return 'must not consist of dots';
  return codePoints(value.normalize('NFC')) > 255 ? 'at most 255 characters' : undefined;
}

/** A filename, given on in the normal form in which it is stored and compared. */
export const Filename = z
  .string()
  .superRefine((value, context) => {
    const message = filenameProblem(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .transform((value) => value.normalize('NFC'));

export const metadataLimits = { bytes: 16_384, depth: 6, members: 200, key: 100 } as const;

/** Keys that a document's own fields have, or that would confuse programs that read the object. */
export const reservedMetadataKeys: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'prototype',
  'id',
  'owner',
  'owner_id',
  'user_id',
  'tenant_id',
  'company_id',
  'basket_id',
  'filename',
  'mime_type',
  'size_bytes',
  'sha256',
  'version',
  'version_id',
  'created_at',
  'updated_at',
  'trashed_at',
  'tags',
]);

/** Why this JSON value may not stand in metadata, or undefined where it may. */
function metadataProblem(value: unknown, depth: number, count: { members: number }): string | undefined {
  if (typeof value === 'string') {
    if (!value.isWellFormed() || value.includes('\u0000')) return 'texts must be well-formed Unicode without NUL';
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= metadataLimits.depth) return `at most ${metadataLimits.depth} levels deep`;
  for (const [key, member] of Object.entries(value)) {
    count.members += 1;
    if (count.members > metadataLimits.members) return `at most ${metadataLimits.members} members`;
    const problem =
      (Array.isArray(value) ? undefined : keyProblem(key, depth)) ?? metadataProblem(member, depth + 1, count);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function keyProblem(key: string, depth: number): string | undefined {
  if (key.length > metadataLimits.key) return `keys have at most ${metadataLimits.key} characters`;
  if (key.trim() === '' || !key.isWellFormed() || key.includes('\u0000')) return 'a key must be readable text';
  const reserved = depth === 0 ? reservedMetadataKeys.has(key) : key === '__proto__';
  return reserved ? `the key ${JSON.stringify(key)} is reserved` : undefined;
}

/** Free facts about a document: a JSON object. Text, numbers and booleans at its top can be filtered by. */
export const Metadata = z.record(z.string(), z.unknown()).superRefine((value, context) => {
  const problem = metadataProblem(value, 0, { members: 0 });
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  else if (new TextEncoder().encode(JSON.stringify(value)).length > metadataLimits.bytes) {
    context.addIssue({ code: 'custom', message: `at most ${metadataLimits.bytes} bytes of JSON` });
  }
});

const Tag = text({ max: 64 }).transform((value) => value.normalize('NFC'));
/** Tags of one document. */
export const tagLimit = 50;
export const Tags = z
  .array(Tag)
  .max(tagLimit, 'at most 50 tags')
  .transform((tags) => [...new Set(tags)]);

export const onConflictChoices = ['error', 'version', 'rename'] as const;
/** What to do where the owner has a document of this name in this basket already. */
export const OnConflict = z.enum(onConflictChoices);
