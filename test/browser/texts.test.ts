/** The translations: every area has both languages, with the same places for values, and messages that can be read. */
import IntlMessageFormat from 'intl-messageformat';
import { describe, expect, test } from 'vitest';
import { tablePaths as pairs, textsOf } from './support/texts.ts';

interface Node {
  readonly type: number;
  readonly value?: string;
  readonly options?: Readonly<Record<string, { readonly value: readonly Node[] }>>;
}

/** Names of the values that a message takes. */
function placesOf(message: string): readonly string[] {
  const names = new Set<string>();
  const walk = (nodes: readonly Node[]) => {
    for (const { type, value, options } of nodes) {
      // 0 is plain text, 7 the number of a plural.
      if (type !== 0 && type !== 7 && value !== undefined) names.add(value);
      for (const option of Object.values(options ?? {})) walk(option.value);
    }
  };
  walk(new IntlMessageFormat(message, 'en', undefined, { ignoreTag: true }).getAst() as readonly Node[]);
  return [...names].sort();
}

test('there are the areas', () => expect(pairs.length).toBeGreaterThanOrEqual(7));

describe.each(pairs)('%s', (path) => {
  test('has the same keys and the same places for values in both languages', async () => {
    const { en, de } = await textsOf(path);
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
    for (const [key, message] of Object.entries(en)) expect(placesOf(de[key]!), key).toEqual(placesOf(message));
  });

  test('no text is empty or left in the other language', async () => {
    const { en, de } = await textsOf(path);
    const same = Object.keys(en).filter((key) => en[key] === de[key]);
    expect(Object.values({ ...en, ...de }).filter((text) => text.trim() === '')).toEqual([]);
    // Words that both languages share (names, "Status", "PDF") are short.
    expect(same.filter((key) => en[key]!.split(/\s+/).length > 3)).toEqual([]);
  });
});

test('a message with another place is caught', () => {
  expect(placesOf('{count, plural, one {# file of {name}} other {# files of {name}}}')).toEqual(['count', 'name']);
  expect(placesOf('Hello')).toEqual([]);
});
