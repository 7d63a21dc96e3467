/** The rules of form as functions from a file's text to what is wrong with it. */
import { codeOf } from './import-scanner.ts';

/** Beyond these a file does two things, a function more than it says. About 70 is aimed at for functions. */
const longest = { file: 400, testFile: 400, function: 80 };

/** Looked for in the code alone, whose words and signs stand one space apart. */
const bannedCode: readonly (readonly [RegExp, string])[] = [
  [/\bas any\b|: any\b|< any >/, 'says any'],
  [/\b(test|it|describe|suite)( \. \w+)* \. only\b/, 'runs one test alone'],
  [/(^|[;}] )export default\b/, 'has a default export'],
  [/(^|[;}] )(export )?(declare )?(const )?enum \w+ \{/, 'has an enum, which needs a build'],
];

/** Looked for in comments too; written in two parts, so that the rules do not find themselves. */
const bannedText: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`\\b(TO${'DO'}|FIX${'ME'}|XX${'X'}|HA${'CK'})\\b`), 'has an unfinished place'],
  [new RegExp(`@ts-(ig${'nore'}|no${'check'}|expect-${'error'})`), 'silences the compiler'],
];

export function tidyMistakes(path: string, source: string): readonly string[] {
  const text = source.replace(/^#!.*\n/, '');
  const isTest = /\.test\.ts$|^(test|bench)\//.test(path);
  const mistakes = [...bannedText.filter(([pattern]) => pattern.test(text))].map(([, message]) => message);
  const code = codeOf(text);
  for (const [pattern, message] of bannedCode) {
    // In tests the linter alone decides on `any`: an answer of unknown shape is looked at, never used.
    if (pattern.test(code) && !(isTest && message.endsWith('any'))) mistakes.push(message);
  }
  // What a test guarantees is said by its names.
  if (!path.endsWith('.test.ts') && !/^(\/\*\*|\/\/)/.test(text)) {
    mistakes.push('its first lines do not say what it guarantees');
  }
  const lines = text.split('\n').length;
  const most = isTest ? longest.testFile : longest.file;
  if (lines > most) mistakes.push(`${lines} lines; at most ${most}`);
  if (!isTest) mistakes.push(...longFunctions(text));
  if (/(^|[/-])(utils?|helpers?|common|misc)([/.]|$)/.test(path)) mistakes.push('its name says nothing');
  if (!/^[a-z0-9]+([.-][a-z0-9]+)*\.(tsx?|js)$/.test(path.split('/').at(-1)!)) {
    mistakes.push('its name is not in kebab-case');
  }
  return mistakes;
}

interface Block {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Functions whose own lines, without those of the functions inside, are too many. */
function longFunctions(text: string): readonly string[] {
  const lines = text.split('\n');
  const blocks = lines.flatMap((line, start) => blockAt(lines, line, start) ?? []);
  const long: string[] = [];
  for (const block of blocks) {
    const inside = blocks.filter((other) => other.start > block.start && other.end < block.end);
    const direct = inside.filter((one) => !inside.some((other) => other.start < one.start && other.end > one.end));
    const own = direct.reduce((left, { start, end }) => left - (end - start), block.end - block.start + 1);
    if (own > longest.function) long.push(`function ${block.name} has ${own} lines; at most ${longest.function}`);
  }
  return long;
}

/** The function that begins in a line, up to the brace that closes at the same indent (the formatter sees to that). */
function blockAt(lines: readonly string[], line: string, start: number): Block | undefined {
  const opens =
    /\{$|\($|[({]\s*$/.test(line) &&
    !/^\s*(if|for|while|switch|try|else|catch|\}|return\b|import|type|interface|export (type|interface))/.test(line);
  const head = /^(\s*)(?:export )?(?:async )?(?:function\*? ?)?(?:const )?([\w$]+)\b.*$/.exec(line);
  const isFunction = /\bfunction\b|=>|^\s*(async )?\*?[\w$]+\(/.test(line);
  if (!opens || head === null || !isFunction) return undefined;
  const indent = head[1] ?? '';
  const closing = new RegExp(`^${indent}[})]`);
  const length = lines
    .slice(start + 1)
    .findIndex((other) => closing.test(other) && !/^\s*\)(: [^{]*)? (=> )?\{$/.test(other));
  return length === -1 ? undefined : { name: head[2] ?? '', start, end: start + 1 + length };
}

const leaks: readonly (readonly [RegExp, string])[] = [
  [/\/(home|Users)\/[a-z][\w.-]*\/|\b[A-Z]:\\Users\\/, 'names a path of a machine'],
  [/https?:\/\/[\w./-]*(artifactory|nexus|verdaccio|codeartifact)/i, 'names a registry'],
  [/-----BEGIN [A-Z ]*KEY-----/, 'holds what looks like a key'],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bsk-[A-Za-z0-9]{32,}\b/, 'holds what looks like a key'],
  [/\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{8,}/, 'holds what looks like a token'],
];

/** @param here names of this machine and its folders, which no text may carry */
export function textMistakes(text: string, here: readonly string[]): readonly string[] {
  const found = leaks.filter(([pattern]) => pattern.test(text)).map(([, message]) => message);
  const names = here.filter((name) => text.includes(name)).map(() => 'names this machine');
  return [...found, ...names];
}
