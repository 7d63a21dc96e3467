import { describe, expect, it } from 'vitest';
import { displayWidth, humanBytes, printable, renderFields, renderTable } from './table.ts';

const rows = [
  { id: 'comp_01jab0000000000000000000aa', name: 'A short name', count: 7 },
  {
    id: 'comp_01jab0000000000000000000bb',
    name: 'A name that is much longer than the terminal has room for',
    count: 1_200,
  },
];
const columns = [
  { title: 'ID', value: (row: (typeof rows)[number]) => row.id },
  { title: 'NAME', value: (row: (typeof rows)[number]) => row.name, flexible: true },
  { title: 'COUNT', value: (row: (typeof rows)[number]) => row.count, align: 'right' as const },
];

describe('renderTable', () => {
  it('aligns columns, numbers to the right', () => {
    const lines = renderTable(rows, columns).split('\n');
    expect(lines).toHaveLength(3);
    expect(new Set(lines.map((line) => line.length))).toEqual(new Set([lines[0]!.length]));
    expect(lines[1]!.endsWith('    7')).toBe(true);
  });

  it('fits the terminal by cutting flexible columns, and never an id', () => {
    const lines = renderTable(rows, columns, 60).split('\n');
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(60);
    expect(lines[1]).toContain(rows[0]!.id);
    expect(lines[2]).toContain(rows[1]!.id);
    expect(lines[2]).toContain('…');
  });

  it('cuts nothing where there is no terminal, and overflows rather than cut an id', () => {
    expect(renderTable(rows, columns)).toContain(rows[1]!.name);
    expect(renderTable(rows, columns, 20)).toContain(rows[1]!.id);
  });

  it('lets no control character reach the terminal', () => {
    const text = renderTable([{ id: 'x', name: 'a\u001b[31mred\nnext\u202e', count: 1 }], columns);
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\u202e');
    expect(text.split('\n')).toHaveLength(2);
  });

  it('counts wide letters twice and marks not at all', () => {
    expect(displayWidth('ab')).toBe(2);
    expect(displayWidth('会社')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
  });
});

describe('small texts', () => {
  it('says bytes for people', () => {
    expect([0, 1_023, 1_536, 5 * 1_024 ** 3].map(humanBytes)).toEqual(['0 B', '1023 B', '1.5 KB', '5.0 GB']);
  });

  it('aligns fields and shows what is missing as a dash', () => {
    expect(
      renderFields([
        ['id', 'x'],
        ['longer', null],
      ]),
    ).toBe('id      x\nlonger  –');
  });

  it('keeps ordinary text as it is', () => {
    expect(printable('Zoë – 会社 <b>')).toBe('Zoë – 会社 <b>');
  });
});
