/**
 * Text of comma-separated values as rows, as spreadsheets write it (RFC 4180): quotes, doubled quotes and line breaks
 * within them. The separator is the one that stands most often in the first line. Never throws, whatever the text is.
 */
const separators = [',', ';', '\t', '|'] as const;

export function separatorOf(text: string): string {
  const line = text.slice(0, 10_000).split(/\r?\n/, 1)[0] ?? '';
  const bare = line.replace(/"[^"]*"/g, '');
  const counts = separators.map((separator) => ({ separator, count: bare.split(separator).length }));
  return counts.sort((left, right) => right.count - left.count)[0]!.separator;
}

/** @param limits what is left out beyond them */
export function parseCsv(
  text: string,
  limits: { readonly rows: number; readonly columns: number } = { rows: 20_000, columns: 200 },
): string[][] {
  const separator = separatorOf(text);
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  const end = (field: string) => {
    if (row.length < limits.columns) row.push(field);
  };
  while (at < text.length && rows.length < limits.rows) {
    const { field, next } = text[at] === '"' ? quoted(text, at, separator) : plain(text, at, separator);
    end(field);
    at = next;
    if (text[at] === separator) {
      at += 1;
      // A separator at the very end is followed by an empty field.
      if (at < text.length) continue;
      end('');
    }
    rows.push(row);
    row = [];
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
  }
  return rows;
}

interface Field {
  readonly field: string;
  readonly next: number;
}

function plain(text: string, from: number, separator: string): Field {
  let at = from;
  while (at < text.length && text[at] !== separator && text[at] !== '\n' && text[at] !== '\r') at += 1;
  return { field: text.slice(from, at), next: at };
}

/** What stands behind the closing quote, against the rules, belongs to the field. */
function quoted(text: string, from: number, separator: string): Field {
  let field = '';
  let at = from + 1;
  for (;;) {
    const close = text.indexOf('"', at);
    if (close < 0) return { field: field + text.slice(at), next: text.length };
    field += text.slice(at, close);
    at = close + 1;
    if (text[at] !== '"') break;
    field += '"';
    at += 1;
  }
  const rest = plain(text, at, separator);
  return { field: field + rest.field, next: rest.next };
}
