/**
 * Markdown as a tree of blocks and spans: headings, paragraphs, lists, quotes, tables, code, rules; strong, emphasis,
 * code, links.
 * There is no HTML in it and no address that anything is loaded from: markup that is not known stays the text it is.
 * One pass over the lines, and over each line; never backtracks without bound.
 */
export type Span =
  | { readonly kind: 'text' | 'code'; readonly text: string }
  | { readonly kind: 'strong' | 'em'; readonly spans: readonly Span[] }
  | { readonly kind: 'link' | 'image'; readonly text: string; readonly address: string };

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly spans: readonly Span[] }
  | { readonly kind: 'paragraph'; readonly spans: readonly Span[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Span[])[] }
  | { readonly kind: 'table'; readonly head: readonly Cell[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly kind: 'rule' };

type Cell = readonly Span[];

const deepest = 8;
/** Marks further away than this from their beginning are no pair: bounds the work on a hostile line. */
const farthest = 2_000;

const item = /^ {0,6}(?:([-*+])|\d{1,9}[.)]) +(.*)$/;
const heading = /^ {0,3}(#{1,6}) +(.*)$/;
const rule = /^ {0,3}([-*_])( *\1){2,} *$/;
const fence = /^ {0,3}(```|~~~)/;

export function parseMarkdown(text: string, depth = 0): Block[] {
  const lines = text.split(/\r\n?|\n/);
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    if (line.trim() === '') at += 1;
    else if (fence.test(line)) at = takeCode(lines, at, blocks);
    else if (rule.test(line)) {
      blocks.push({ kind: 'rule' });
      at += 1;
    } else if (heading.test(line)) {
      const [, marks, words] = heading.exec(line)!;
      blocks.push({ kind: 'heading', level: marks!.length, spans: parseSpans(trimClosing(words!)) });
      at += 1;
    } else if (line.startsWith('>') && depth < deepest) at = takeQuote(lines, at, blocks, depth);
    else if (item.test(line)) at = takeList(lines, at, blocks);
    else if (tableAt(lines, at)) at = takeTable(lines, at, blocks);
    else at = takeParagraph(lines, at, blocks);
  }
  return blocks;
}

/** Without the signs that may close a heading. */
function trimClosing(words: string): string {
  let end = words.length;
  while (end > 0 && (words[end - 1] === '#' || words[end - 1] === ' ')) end -= 1;
  return end === 0 ? words : words.slice(0, end);
}

function takeCode(lines: readonly string[], from: number, blocks: Block[]): number {
  const mark = fence.exec(lines[from]!)![1]!;
  let end = from + 1;
  while (end < lines.length && !lines[end]!.trimStart().startsWith(mark)) end += 1;
  blocks.push({ kind: 'code', text: lines.slice(from + 1, end).join('\n') });
  return end + 1;
}

function takeQuote(lines: readonly string[], from: number, blocks: Block[], depth: number): number {
  let end = from;
  while (end < lines.length && lines[end]!.startsWith('>')) end += 1;
  const inside = lines.slice(from, end).map((line) => line.replace(/^> ?/, ''));
  blocks.push({ kind: 'quote', blocks: parseMarkdown(inside.join('\n'), depth + 1) });
  return end;
}

function takeList(lines: readonly string[], from: number, blocks: Block[]): number {
  const ordered = item.exec(lines[from]!)![1] === undefined;
  const items: string[] = [];
  let at = from;
  for (; at < lines.length; at += 1) {
    const line = lines[at]!;
    const found = item.exec(line);
    if (found !== null) {
      if ((found[1] === undefined) !== ordered) break;
      items.push(found[2]!);
    } else if (/^ {2,}\S/.test(line)) items[items.length - 1] += `\n${line.trim()}`;
    else break;
  }
  blocks.push({ kind: 'list', ordered, items: items.map(parseSpans) });
  return at;
}

/** Between bars that are not escaped; those at the two ends are left out. */
function cellsOf(line: string): string[] {
  const cells: string[] = [];
  let cell = '';
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === '\\' && line[at + 1] === '|') {
      cell += '|';
      at += 1;
    } else if (line[at] === '|') {
      cells.push(cell.trim());
      cell = '';
    } else cell += line[at];
  }
  cells.push(cell.trim());
  if (line.trimStart().startsWith('|')) cells.shift();
  if (cells.length > 1 && cells.at(-1) === '') cells.pop();
  return cells;
}

/** A line with bars, and below it as many cells of dashes. */
function tableAt(lines: readonly string[], at: number): boolean {
  const [head = '', below = ''] = [lines[at], lines[at + 1]];
  if (!head.includes('|') || !below.includes('-')) return false;
  const dashes = cellsOf(below);
  return dashes.every((cell) => /^:?-+:?$/.test(cell)) && dashes.length === cellsOf(head).length;
}

function takeTable(lines: readonly string[], from: number, blocks: Block[]): number {
  const head = cellsOf(lines[from]!);
  const rows: Cell[][] = [];
  let at = from + 2;
  for (; at < lines.length && lines[at]!.includes('|'); at += 1) {
    const cells = cellsOf(lines[at]!);
    rows.push(head.map((_, column) => parseSpans(cells[column] ?? '')));
  }
  blocks.push({ kind: 'table', head: head.map((cell) => parseSpans(cell)), rows });
  return at;
}

function takeParagraph(lines: readonly string[], from: number, blocks: Block[]): number {
  let end = from + 1;
  const begins = (line: string) => line.trim() === '' || fence.test(line) || heading.test(line) || line.startsWith('>');
  const ends = (line: string) => begins(line) || rule.test(line) || item.test(line);
  while (end < lines.length && !ends(lines[end]!) && !tableAt(lines, end)) end += 1;
  blocks.push({ kind: 'paragraph', spans: parseSpans(lines.slice(from, end).join('\n')) });
  return end;
}

// --- Within a line ---------------------------------------------------------------------------------------------------

export function parseSpans(text: string, depth = 0): Span[] {
  const spans: Span[] = [];
  let plain = '';
  let at = 0;
  while (at < text.length) {
    const found = spanAt(text, at, depth);
    if (found === undefined) {
      const escaped = text[at] === '\\' && /[\\`*_[\]()#!<>-]/.test(text[at + 1] ?? '');
      plain += escaped ? text[at + 1]! : text[at]!;
      at += escaped ? 2 : 1;
      continue;
    }
    if (plain !== '') spans.push({ kind: 'text', text: plain });
    plain = '';
    spans.push(found.span);
    at = found.next;
  }
  if (plain !== '') spans.push({ kind: 'text', text: plain });
  return spans;
}

interface Found {
  readonly span: Span;
  readonly next: number;
}

/** Where `mark` stands next, not too far away. */
function nearest(text: string, mark: string, from: number): number {
  const at = text.slice(from, from + farthest).indexOf(mark);
  return at < 0 ? -1 : from + at;
}

function spanAt(text: string, at: number, depth: number): Found | undefined {
  const sign = text[at];
  if (sign === '`') {
    const close = nearest(text, '`', at + 1);
    return close < 0 ? undefined : { span: { kind: 'code', text: text.slice(at + 1, close) }, next: close + 1 };
  }
  if (sign === '!' && text[at + 1] === '[') return linkAt(text, at + 1, 'image');
  if (sign === '[') return linkAt(text, at, 'link');
  if ((sign !== '*' && sign !== '_') || depth >= deepest) return undefined;
  // Within a word the underscore is a letter: `file_name_new`.
  if (sign === '_' && /\w/.test(text[at - 1] ?? '')) return undefined;
  const double = text[at + 1] === sign;
  const mark = double ? sign + sign : sign;
  const from = at + mark.length;
  const close = nearest(text, mark, from);
  if (close <= from || /\s/.test(text[from]!) || /\s/.test(text[close - 1]!)) return undefined;
  const spans = parseSpans(text.slice(from, close), depth + 1);
  return { span: { kind: double ? 'strong' : 'em', spans }, next: close + mark.length };
}

function linkAt(text: string, at: number, kind: 'link' | 'image'): Found | undefined {
  const middle = nearest(text, '](', at + 1);
  const close = middle < 0 ? -1 : nearest(text, ')', middle + 2);
  if (close < 0) return undefined;
  const words = text.slice(at + 1, middle);
  if (words.includes('\n\n')) return undefined;
  return { span: { kind, text: words, address: text.slice(middle + 2, close).trim() }, next: close + 1 };
}
