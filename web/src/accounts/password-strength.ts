/**
 * How strong a password looks, with the reason, while it is typed. Advice: the server alone decides, and it also knows
 * the common ones.
 */
export type Level = 'weak' | 'fair' | 'good' | 'strong';
export type Reason = 'short' | 'common' | 'personal' | 'repeats' | 'longer';

export interface Strength {
  readonly level: Level;
  /** 0 to 4. */
  readonly score: number;
  readonly reason: Reason | undefined;
  /** Characters that are missing to the least length. */
  readonly missing: number;
}

export const fewestCharacters = 8;
const rows = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop'];
const walks = rows.flatMap((row) => [row, [...row].reverse().join('')]);

/** The first that anybody would try, also with digits and signs behind them. */
const common =
  /^(pass(word|wort|w0rd)|qwert[yz]?|welcome|willkommen|letmein|admin|hallo|hello|iloveyou|strongroom)[\d\W]*$/;

function repeats(lower: string): boolean {
  if (new Set(lower).size <= Math.max(2, lower.length / 4)) return true;
  if (walks.some((walk) => lower.length >= 6 && walk.includes(lower))) return true;
  return /^(.{1,4})\1+$/.test(lower);
}

/** @param words the person's own: name, address, company */
export function strengthOf(password: string, words: readonly string[] = []): Strength {
  const length = [...password].length;
  const lower = password.toLowerCase();
  const missing = Math.max(0, fewestCharacters - length);
  const weak = (reason: Reason): Strength => ({ level: 'weak', score: length === 0 ? 0 : 1, reason, missing });
  if (missing > 0) return weak('short');
  if (common.test(lower)) return weak('common');
  if (repeats(lower)) return weak('repeats');
  const own = words.flatMap((word) => word.toLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((word) => word.length >= 4);
  if (own.some((word) => lower.includes(word) && length - word.length < 4)) return weak('personal');
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length;
  const score = length + (kinds - 1) * 2;
  if (score >= 20) return { level: 'strong', score: 4, reason: undefined, missing };
  if (score >= 14) return { level: 'good', score: 3, reason: undefined, missing };
  return { level: 'fair', score: 2, reason: 'longer', missing };
}
