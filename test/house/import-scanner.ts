/**
 * Finds what a source file names of other files: static, dynamic and type imports, re-exports, module augmentations,
 * and files that are started as workers (`new URL('./x.ts', import.meta.url)`).
 *
 * It reads tokens, not lines, so that comments, strings and templates that merely speak of imports count for nothing,
 * and an import over many lines counts as one.
 */

export interface Import {
  /** The specifier as it is written; undefined where it is computed and cannot be read. */
  readonly specifier: string | undefined;
  readonly how: 'static' | 'dynamic' | 'augmentation' | 'url' | 'require';
}

type Token =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'template' | 'regex' | 'sign'; readonly text: string };

const closings: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };

export function importsOf(source: string): readonly Import[] {
  const tokens = tokensOf(source);
  const found: Import[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const one = importAt(tokens, at);
    if (one !== undefined) found.push(one);
  }
  return found;
}

function importAt(tokens: readonly Token[], at: number): Import | undefined {
  const token = tokens[at]!;
  if (token.kind !== 'word' || is(tokens[at - 1], '.')) return undefined;
  if (token.text === 'import') {
    if (is(tokens[at + 1], '(')) return { how: 'dynamic', specifier: literal(tokens, at + 2) };
    if (is(tokens[at + 1], '.')) return undefined;
    return fromClause(tokens, at + 1);
  }
  if (token.text === 'export') return reExport(tokens, at + 1);
  if (token.text === 'declare' && isWord(tokens[at + 1], 'module') && tokens[at + 2]?.kind === 'string') {
    return { how: 'augmentation', specifier: tokens[at + 2]!.text };
  }
  if (token.text === 'require' && is(tokens[at + 1], '('))
    return { how: 'require', specifier: literal(tokens, at + 2) };
  if (token.text === 'URL' && is(tokens[at + 1], '(') && isWord(tokens[at + 4], 'import')) {
    const specifier = literal(tokens, at + 2);
    return specifier !== undefined && /^\..*\.(ts|js)$/.test(specifier) ? { how: 'url', specifier } : undefined;
  }
  return undefined;
}

const is = (token: Token | undefined, sign: string) => token?.kind === 'sign' && token.text === sign;
const isWord = (token: Token | undefined, word: string) => token?.kind === 'word' && token.text === word;

/** The string at `at` where it stands alone as an argument. */
function literal(tokens: readonly Token[], at: number): string | undefined {
  const token = tokens[at];
  return token?.kind === 'string' && (is(tokens[at + 1], ')') || is(tokens[at + 1], ',')) ? token.text : undefined;
}

/** `'x'`, or anything up to `from 'x'`; a statement ends at `;`. */
function fromClause(tokens: readonly Token[], start: number): Import | undefined {
  if (tokens[start]?.kind === 'string') return { how: 'static', specifier: tokens[start]!.text };
  for (let at = start; at < tokens.length && !is(tokens[at], ';'); at += 1) {
    if (isWord(tokens[at], 'from') && tokens[at + 1]?.kind === 'string') {
      return { how: 'static', specifier: tokens[at + 1]!.text };
    }
  }
  return undefined;
}

/** `export * from`, `export { … } from`, both with `type`. */
function reExport(tokens: readonly Token[], start: number): Import | undefined {
  const at = isWord(tokens[start], 'type') ? start + 1 : start;
  if (is(tokens[at], '*')) return fromClause(tokens, at);
  if (!is(tokens[at], '{')) return undefined;
  let end = at;
  while (end < tokens.length && !is(tokens[end], '}')) end += 1;
  return isWord(tokens[end + 1], 'from') ? fromClause(tokens, end + 1) : undefined;
}

/** A `/` begins a regular expression where no value can have ended. */
function regexMayBegin(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === 'word') return ['return', 'typeof', 'case', 'in', 'of', 'await', 'yield'].includes(before.text);
  return before.kind === 'sign' && !Object.values(closings).includes(before.text);
}

/** The code alone: words and signs, one space apart; without comments, and with every string empty. */
export function codeOf(source: string): string {
  const shown = (token: Token) => (token.kind === 'word' || token.kind === 'sign' ? token.text : "''");
  return tokensOf(source).map(shown).join(' ');
}

function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (kind: Token['kind'], pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found === undefined) return false;
    tokens.push({ kind, text: kind === 'string' ? found.slice(1, -1) : found } as Token);
    at += found.length;
    return true;
  };
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    at += found?.length ?? 0;
    return found !== undefined;
  };
  while (at < source.length) {
    if (skip(/\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|^#![^\n]*/y)) continue;
    if (
      source[at] === '/' &&
      regexMayBegin(tokens.at(-1)) &&
      take('regex', /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y)
    )
      continue;
    if (take('string', /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/y)) continue;
    if (take('word', /[\p{L}_$][\p{L}\p{N}_$]*/uy)) continue;
    if (source[at] === '`') {
      const end = templateEnd(source, at + 1);
      const text = source.slice(at + 1, end - 1);
      // A template without holes is a string; what stands in the holes of others is read on its own.
      if (text.includes('${')) for (const hole of holesOf(text)) tokens.push(...tokensOf(hole));
      tokens.push(text.includes('${') ? { kind: 'template', text } : { kind: 'string', text });
      at = end;
      continue;
    }
    tokens.push({ kind: 'sign', text: source[at]! });
    at += 1;
  }
  return tokens;
}

/** Where a template that began before `at` is over. */
function templateEnd(source: string, start: number): number {
  let at = start;
  while (at < source.length && source[at] !== '`') {
    if (source[at] === '\\') at += 2;
    else if (source.startsWith('${', at)) at = holeEnd(source, at + 2);
    else at += 1;
  }
  return at + 1;
}

/** Where the hole of a template that began before `at` is over; braces, strings and templates in it are passed. */
function holeEnd(source: string, start: number): number {
  let depth = 1;
  let at = start;
  while (at < source.length && depth > 0) {
    const letter = source[at]!;
    const text = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/y;
    text.lastIndex = at;
    const string = letter === "'" || letter === '"' ? text.exec(source)?.[0] : undefined;
    if (string !== undefined) at += string.length;
    else if (letter === '`') at = templateEnd(source, at + 1);
    else {
      if (letter === '{') depth += 1;
      if (letter === '}') depth -= 1;
      at += 1;
    }
  }
  return at;
}

function holesOf(text: string): readonly string[] {
  const holes: string[] = [];
  for (let at = 0; at < text.length; ) {
    if (text[at] === '\\') at += 2;
    else if (text.startsWith('${', at)) {
      const end = holeEnd(text, at + 2);
      holes.push(text.slice(at + 2, end - 1));
      at = end;
    } else at += 1;
  }
  return holes;
}
