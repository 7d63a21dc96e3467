/** Slugs: what stands in addresses and is typed to confirm. Made from the name, unique among living companies. */
import { idPrefixes } from '../ids.ts';

const longest = 40;

/** Letters that Unicode does not decompose, in the usual ASCII spelling. */
const folded: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  þ: 'th',
  ı: 'i',
  ħ: 'h',
  ŋ: 'n',
};

/**
 * Words that read as something else than a company where an id or slug may stand: other parts of the product, and
 * anything that begins like an id. Not given to a company that did not ask by name; asked for by name: refused.
 */
const reserved = new Set([
  'api',
  'admin',
  'all',
  'audit',
  'auth',
  'control',
  'deleted',
  'docs',
  'fleet',
  'health',
  'host',
  'login',
  'me',
  'metrics',
  'new',
  'none',
  'null',
  'openapi',
  'ready',
  'setup',
  'strongroom',
  'system',
  'undefined',
]);

/** The exact form of a slug. */
export function isSlug(value: string): boolean {
  return value.length <= longest && /^[a-z0-9](-?[a-z0-9])*$/.test(value);
}

/** Whether a slug could be taken for an id or for a part of the product. */
export function isReservedSlug(slug: string): boolean {
  return reserved.has(slug) || Object.values(idPrefixes).some((prefix) => slug === prefix);
}

/** ASCII, lower case, `[a-z0-9-]`, 1 to 40 characters, no hyphen at either end; `company` where nothing is left. */
export function slugFromName(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[ßæœøđðłþıħŋ]/gu, (letter) => folded[letter] ?? '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, longest)
    .replace(/-+$/, '');
  return slug === '' || isReservedSlug(slug) ? 'company' : slug;
}

/** The base with a suffix, still at most 40 characters. */
export function suffixedSlug(base: string, suffix: string): string {
  return `${base.slice(0, longest - suffix.length - 1).replace(/-+$/, '')}-${suffix}`;
}
