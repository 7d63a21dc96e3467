/** The house style that a machine can hold: sizes, first lines, names, words that must not be there, links. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSource, packageJson, read, repositoryFiles, root } from './repository.ts';
import { textMistakes, tidyMistakes } from './tidy-rules.ts';

const files = repositoryFiles();
const sources = files.filter(isSource);
const binary = /\.(png|jpe?g|gif|webp|pdf|docx|xlsx|eml|zip|ico|woff2?)$/;
const texts = files.filter((path) => !binary.test(path) && path !== 'package-lock.json' && path !== 'LICENSE');

test('sources are tidy', () => {
  expect(sources.length).toBeGreaterThanOrEqual(150);
  expect(sources.flatMap((path) => tidyMistakes(path, read(path)).map((text) => `${path}: ${text}`))).toEqual([]);
});

test('no text names a machine, a registry or a secret', () => {
  const here = [root, hostname()].filter((name) => name.length > 5 && !/^(localhost|runner)/.test(name));
  const mistakes = texts.flatMap((path) => textMistakes(read(path), here).map((text) => `${path}: ${text}`));
  expect(mistakes).toEqual([]);
});

test('the lock file names no registry', () => {
  // Written without addresses, so that it installs from whatever registry a machine is set to.
  expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
});

test('versions are pinned', () => {
  const { dependencies, devDependencies } = packageJson();
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(([, version]) => !/^\d/.test(version));
  expect(loose).toEqual([]);
});

describe('documents', () => {
  const documents = files.filter((path) => path.endsWith('.md'));
  test('every link inside the repository leads somewhere', () => {
    const known = new Set(files);
    const folders = new Set(
      files.flatMap((path) => path.split('/').map((_, at, parts) => parts.slice(0, at).join('/'))),
    );
    const broken = documents.flatMap((path) =>
      linksOf(read(path))
        .map((link) =>
          posix.normalize(posix.join(posix.dirname(path), decodeURI(link.replace(/#.*$/, '')))).replace(/\/$/, ''),
        )
        .filter((target) => !known.has(target) && !folders.has(target) && target !== '.')
        .map((target) => `${path} → ${target}`),
    );
    expect(documents.length).toBeGreaterThanOrEqual(8);
    expect(broken).toEqual([]);
  });

  test('every heading that a link names is there', () => {
    const broken = documents.flatMap((path) =>
      linksOf(read(path))
        .filter((link) => link.includes('#') && /(^|\.md)#/.test(link))
        .filter((link) => {
          const [file = '', heading = ''] = link.split('#');
          const target = file === '' ? path : posix.join(posix.dirname(path), file);
          return !anchorsOf(readFileSync(join(root, target), 'utf8')).has(heading);
        })
        .map((link) => `${path} → ${link}`),
    );
    expect(broken).toEqual([]);
  });

  test('decisions are numbered without gaps and say what was chosen and why', () => {
    const decisions = files.filter((path) => path.startsWith('docs/decisions/') && /\/\d{4}-/.test(path));
    expect(decisions.map((path) => Number(posix.basename(path).slice(0, 4)))).toEqual(decisions.map((_, at) => at + 1));
    for (const path of decisions) {
      expect(read(path), path).toMatch(/^# .+\n/);
      expect(read(path).split(/\s+/).length, `${path} is about half a page`).toBeLessThan(450);
    }
  });
});

function linksOf(text: string): readonly string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
  const links = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map((found) => found[1]!);
  return links.filter((link) => !/^[a-z]+:/i.test(link));
}

function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.split('\n').filter((line) => /^#{1,6} /.test(line));
  return new Set(
    headings.map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('planted violations are caught', () => {
  const good = '/** Says what it guarantees. */\nexport const a = 1;\n';
  const longFunction = `/** x */\nexport function long(): void {\n${'  call();\n'.repeat(80)}}\n`;
  test.each([
    ['src/a.ts', 'export const a = 1;\n', /first lines/],
    ['src/a.ts', `${good}const b = a as any;\n`, /any/],
    ['src/a.ts', `${good}const b: any = a;\n`, /any/],
    ['src/a.ts', `${good}// TO${'DO'}: later\n`, /unfinished/],
    ['src/a.ts', `${good}// FIX${'ME'}\n`, /unfinished/],
    ['src/a.test.ts', `${good}test.only('x')\n`, /runs one test alone/],
    ['src/a.test.ts', `${good}describe.each.only([])\n`, /runs one test alone/],
    ['src/a.ts', `${good}// @ts-ig${'nore'}\n`, /silences/],
    ['src/a.ts', `${good}// @ts-no${'check'}\n`, /silences/],
    ['src/a.ts', `${good}// @ts-expect-${'error'}\n`, /silences/],
    ['src/a.ts', `${good}export default a;\n`, /default export/],
    ['src/utils.ts', good, /name says nothing/],
    ['src/helpers/a.ts', good, /name says nothing/],
    ['src/someName.ts', good, /kebab/],
    ['src/a.ts', good + '// line\n'.repeat(400), /lines/],
    ['src/a.ts', longFunction, /function long/],
    ['src/a.ts', `${good}enum A { B }\n`, /enum/],
  ])('%s', (path, source, message) => {
    expect(tidyMistakes(path, source).join('\n')).toMatch(message);
  });

  test.each([
    [`/home/${'someone'}/x`, /path of a machine/],
    [`/Users/${'someone'}/x`, /path of a machine/],
    [`see https://npm.example.com/${'arti'}factory/x`, /registry/],
    [`-----BEGIN ${'PRIVATE'} KEY-----`, /key/],
    [`AK${'IA'}ABCDEFGHIJKLMNOP`, /key/],
    [`eyJ${'hbGciOiJFZERTQSJ9'}.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl`, /token/],
    ['in the-machine-name', /this machine/],
  ])('%s', (text, message) => {
    expect(textMistakes(text, ['the-machine-name']).join('\n')).toMatch(message);
  });

  test('and a tidy file passes', () => {
    expect(tidyMistakes('src/kernel/good-name.ts', good)).toEqual([]);
    expect(textMistakes(good, ['the-machine-name'])).toEqual([]);
  });
});
