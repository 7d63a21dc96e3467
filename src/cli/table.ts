/**
 * Tables for people: aligned columns, as wide as the terminal where there is one. Only columns that say so are cut;
 * ids never are, so that they can be copied. Control characters never reach a terminal.
 */

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | null | undefined;
  readonly align?: 'left' | 'right';
  /** May be cut (with an ellipsis) so that the table fits. */
  readonly flexible?: boolean;
}

const gap = '  ';
const shortest = 8;

/** Columns a terminal uses for this text: wide letters and emoji take two, marks none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const letter of text) {
    if (/\p{M}|\u200d|\ufe0f/u.test(letter)) continue;
    width += /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/u.test(letter)
      ? 2
      : 1;
  }
  return width;
}

/** Nothing that a terminal would obey. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  for (const letter of text) {
    if (displayWidth(kept + letter) > width - 1) break;
    kept += letter;
  }
  return `${kept}…`;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? blanks + text : text + blanks;
}

/**
 * The table as text, without a line break at the end.
 * @param width columns of the terminal; undefined where there is none: nothing is cut then
 */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width?: number): string {
  const cells = rows.map((row) => columns.map((column) => printable(String(column.value(row) ?? '–'))));
  const widths = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[index]!))),
  );
  if (width !== undefined) {
    let over = widths.reduce((sum, each) => sum + each, 0) + gap.length * (columns.length - 1) - width;
    while (over > 0) {
      const widest = columns
        .map((column, index) => ({ index, width: column.flexible === true ? widths[index]! : 0 }))
        .sort((a, b) => b.width - a.width)[0];
      if (widest === undefined || widest.width <= shortest) break;
      widths[widest.index]! -= 1;
      over -= 1;
    }
  }
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => pad(cut(text, widths[index]!), widths[index]!, columns[index]!.align ?? 'left'))
      .join(gap)
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)].join('\n');
}

/** A list of names and values, one a line, the values aligned. */
export function renderFields(fields: readonly (readonly [string, string | number | null | undefined])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value ?? '–'))}`).join('\n');
}

/** 1,536 bytes are "1.5 KB". */
export function humanBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
