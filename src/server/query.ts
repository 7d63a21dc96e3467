/**
 * Query strings and urlencoded forms: flat names and texts, nothing else. `a[]=` and `a[b]=` are names like any other
 * (and so unknown), a name that stands twice is refused, and nothing is ever built from the form of a name.
 */
import { malformed, Refusal, unprocessable } from './refusal.ts';

const maxPairs = 200;

/**
 * The pairs of `text` (without the question mark) as an object without prototype.
 * @throws Refusal 400 (percent encoding, a name twice, too many), 422 (NUL)
 */
export function parsePairs(text: string): Record<string, string> {
  const pairs: Record<string, string> = Object.create(null);
  if (text === '') return pairs;
  const items = text.split('&', maxPairs + 1);
  if (items.length > maxPairs) throw new Refusal(400, 'malformed_query', `At most ${maxPairs} parameters.`);
  for (const item of items) {
    if (item === '') continue;
    const equals = item.indexOf('=');
    const name = decode(equals === -1 ? item : item.slice(0, equals));
    const value = equals === -1 ? '' : decode(item.slice(equals + 1));
    if (name in pairs) throw malformed(`The parameter ${quoted(name)} stands twice.`, 'duplicate_parameter');
    if (name.includes('\0') || value.includes('\0')) {
      throw unprocessable(name.replaceAll('\0', '').slice(0, 100), 'must not contain the character U+0000');
    }
    pairs[name] = value;
  }
  return pairs;
}

/** The pairs behind the question mark of a request target. */
export function queryPairs(target: string): Record<string, string> {
  const mark = target.indexOf('?');
  if (mark === -1) return Object.create(null);
  const hash = target.indexOf('#', mark);
  return parsePairs(hash === -1 ? target.slice(mark + 1) : target.slice(mark + 1, hash));
}

export function quoted(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw malformed('A parameter is not valid percent-encoded UTF-8.', 'malformed_query');
  }
}
