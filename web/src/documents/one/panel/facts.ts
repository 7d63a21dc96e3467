/** Metadata as rows that people edit: a name and a text each, which becomes again the kind of value that it was. */
export type FactKind = 'text' | 'number' | 'flag' | 'json';

export interface Fact {
  readonly key: string;
  readonly text: string;
  readonly kind: FactKind;
}

export type Metadata = Readonly<Record<string, unknown>>;

function factOf(key: string, value: unknown): Fact {
  if (typeof value === 'string') return { key, text: value, kind: 'text' };
  if (typeof value === 'number') return { key, text: String(value), kind: 'number' };
  if (typeof value === 'boolean') return { key, text: String(value), kind: 'flag' };
  return { key, text: JSON.stringify(value), kind: 'json' };
}

export const factsOf = (metadata: Metadata): Fact[] =>
  Object.entries(metadata).map(([key, value]) => factOf(key, value));

export interface FactProblem {
  readonly text: 'info.duplicate' | 'info.nameless' | 'info.notJson' | 'info.notNumber' | 'info.notFlag';
  readonly key: string;
}

/** Rows without a name and a text are none. */
export function metadataOf(facts: readonly Fact[]): { metadata: Metadata } | { problem: FactProblem } {
  const entries: [string, unknown][] = [];
  const seen = new Set<string>();
  for (const { key, text, kind } of facts) {
    if (key === '' && text === '') continue;
    if (key.trim() === '') return { problem: { text: 'info.nameless', key } };
    if (seen.has(key)) return { problem: { text: 'info.duplicate', key } };
    seen.add(key);
    const value = parsedValue(text, kind);
    if ('problem' in value) return { problem: { text: value.problem, key } };
    entries.push([key, value.value]);
  }
  // An own member even of the name `__proto__`, which the server then refuses.
  return { metadata: Object.fromEntries(entries) };
}

function parsedValue(text: string, kind: FactKind): { value: unknown } | { problem: FactProblem['text'] } {
  if (kind === 'text') return { value: text };
  if (kind === 'flag') {
    const flag = text.trim().toLowerCase();
    return flag === 'true' || flag === 'false' ? { value: flag === 'true' } : { problem: 'info.notFlag' };
  }
  if (kind === 'number') {
    const number = Number(text);
    return text.trim() !== '' && Number.isFinite(number) ? { value: number } : { problem: 'info.notNumber' };
  }
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: 'info.notJson' };
  }
}

export const factsText = (metadata: Metadata): string =>
  factsOf(metadata)
    .map(({ key, text }) => `${key}: ${text}`)
    .join(', ');
