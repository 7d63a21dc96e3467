/**
 * A strict JSON reader for request bodies. `JSON.parse` takes the last of two equal keys, any depth, and any key; a
 * proxy in front may take the first, and later stages break on depth. Here:
 *
 * - 400: not JSON (comments, NaN, byte order mark, trailing comma), a key that stands twice, depth above 32;
 * - 422: lone surrogates or NUL in any text, keys that reach a prototype, numbers beyond the range, too many members.
 *
 * Linear in the length of the text, and it stops at the first fault.
 */
import { malformed, type Refusal, unprocessable } from './refusal.ts';

export const jsonLimits = { depth: 32, members: 20_000, keyLength: 1_024 } as const;

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids control characters in texts
const plainText = /[^"\\\u0000-\u001f]*/y;
const numeral = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

interface Cursor {
  readonly text: string;
  at: number;
  members: number;
  readonly path: (string | number)[];
}

/** The value that `text` states. @throws Refusal 400 or 422 as above */
export function parseJson(text: string): unknown {
  const cursor: Cursor = { text, at: 0, members: 0, path: [] };
  const value = readValue(cursor, 0);
  skipSpace(cursor);
  if (cursor.at < text.length) throw notJson(cursor);
  return value;
}

function notJson(cursor: Cursor): Refusal {
  return malformed(`The body is not valid JSON (at character ${cursor.at + 1}).`, 'malformed_json');
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const code = cursor.text.charCodeAt(cursor.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    cursor.at += 1;
  }
}

function readValue(cursor: Cursor, depth: number): unknown {
  skipSpace(cursor);
  switch (cursor.text[cursor.at]) {
    case '{':
      return readObject(cursor, depth + 1);
    case '[':
      return readArray(cursor, depth + 1);
    case '"':
      return readText(cursor);
    case 't':
      return readWord(cursor, 'true', true);
    case 'f':
      return readWord(cursor, 'false', false);
    case 'n':
      return readWord(cursor, 'null', null);
    default:
      return readNumber(cursor);
  }
}

function enter(cursor: Cursor, depth: number): void {
  if (depth > jsonLimits.depth) {
    throw malformed(`The body is nested deeper than ${jsonLimits.depth} levels.`, 'malformed_json');
  }
  cursor.at += 1;
  skipSpace(cursor);
}

/** True while members follow; steps over the comma, or over the closing bracket. */
function more(cursor: Cursor, close: string): boolean {
  skipSpace(cursor);
  const next = cursor.text[cursor.at];
  cursor.at += 1;
  if (next === ',') return true;
  if (next === close) return false;
  cursor.at -= 1;
  throw notJson(cursor);
}

function count(cursor: Cursor): void {
  cursor.members += 1;
  if (cursor.members > jsonLimits.members) {
    throw unprocessable('', `at most ${jsonLimits.members} members in one body`, 'too_many_members');
  }
}

function readObject(cursor: Cursor, depth: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  enter(cursor, depth);
  if (cursor.text[cursor.at] === '}') {
    cursor.at += 1;
    return object;
  }
  do {
    skipSpace(cursor);
    if (cursor.text[cursor.at] !== '"') throw notJson(cursor);
    const key = readText(cursor);
    cursor.path.push(key);
    checkKey(cursor, object, key);
    skipSpace(cursor);
    if (cursor.text[cursor.at] !== ':') throw notJson(cursor);
    cursor.at += 1;
    object[key] = readValue(cursor, depth);
    cursor.path.pop();
  } while (more(cursor, '}'));
  return object;
}

function checkKey(cursor: Cursor, object: Record<string, unknown>, key: string): void {
  count(cursor);
  if (key.length > jsonLimits.keyLength) {
    cursor.path.pop();
    throw unprocessable(pathText(cursor), `a key is longer than ${jsonLimits.keyLength} characters`);
  }
  if (forbiddenKeys.has(key)) throw unprocessable(pathText(cursor), 'this key is not allowed', 'forbidden_key');
  if (Object.hasOwn(object, key)) {
    throw malformed(`The key ${JSON.stringify(key)} stands twice in one object.`, 'malformed_json');
  }
}

function readArray(cursor: Cursor, depth: number): unknown[] {
  const array: unknown[] = [];
  enter(cursor, depth);
  if (cursor.text[cursor.at] === ']') {
    cursor.at += 1;
    return array;
  }
  do {
    count(cursor);
    cursor.path.push(array.length);
    array.push(readValue(cursor, depth));
    cursor.path.pop();
  } while (more(cursor, ']'));
  return array;
}

/** Reads the text whose opening quote is at the cursor. */
function readText(cursor: Cursor): string {
  const { text } = cursor;
  const start = cursor.at + 1;
  let end = skipPlain(text, start);
  const escaped = text[end] === '\\';
  while (text[end] === '\\') end = skipPlain(text, end + 2);
  cursor.at = Math.min(end, text.length);
  if (text[end] !== '"') throw notJson(cursor);
  const value = escaped ? withoutEscapes(cursor, text.slice(start - 1, end + 1)) : text.slice(start, end);
  cursor.at = end + 1;
  if (value.includes('\u0000')) throw unprocessable(pathText(cursor), 'must not contain the character U+0000');
  if (!value.isWellFormed()) throw unprocessable(pathText(cursor), 'must not contain half of a surrogate pair');
  return value;
}

function skipPlain(text: string, from: number): number {
  plainText.lastIndex = from;
  plainText.test(text);
  return Math.max(plainText.lastIndex, from);
}

function withoutEscapes(cursor: Cursor, literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    throw notJson(cursor);
  }
}

function readWord<T>(cursor: Cursor, word: string, value: T): T {
  if (!cursor.text.startsWith(word, cursor.at)) throw notJson(cursor);
  cursor.at += word.length;
  return value;
}

function readNumber(cursor: Cursor): number {
  numeral.lastIndex = cursor.at;
  if (!numeral.test(cursor.text)) throw notJson(cursor);
  const value = Number(cursor.text.slice(cursor.at, numeral.lastIndex));
  if (!Number.isFinite(value)) throw unprocessable(pathText(cursor), 'is beyond the range of numbers');
  cursor.at = numeral.lastIndex;
  return value;
}

function pathText(cursor: Cursor): string {
  return cursor.path.map((step) => String(step).slice(0, 100)).join('.');
}
