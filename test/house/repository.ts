/** The repository as the house rules see it: its files, as git knows them or would, and its package. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Repository } from './import-rules.ts';

export const root = join(import.meta.dirname, '../..');

/** Every file that is, or could be, committed; paths from the root. Without git: what `find` sees but packages. */
export function repositoryFiles(): readonly string[] {
  const paths = existsSync(join(root, '.git'))
    ? execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
    : execFileSync('find', ['.', '-type', 'f', '-not', '-path', './node_modules/*'], { cwd: root, encoding: 'utf8' });
  const list = paths.split('\n').map((path) => path.replace(/^\.\//, ''));
  return [...new Set(list)].filter((path) => path !== '' && existsSync(join(root, path))).sort();
}

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

export interface PackageJson {
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

export const packageJson = (): PackageJson => JSON.parse(read('package.json')) as PackageJson;

export function repository(): Repository {
  const { dependencies, devDependencies } = packageJson();
  return {
    files: new Set(repositoryFiles()),
    dependencies: new Set(Object.keys(dependencies)),
    devDependencies: new Set(Object.keys(devDependencies)),
  };
}

/** Sources of the product and its tests. */
export const isSource = (path: string): boolean =>
  /^((src|test|bench|bin)\/.*\.(ts|js)|web\/(src\/.*\.tsx?|build\.js))$/.test(path);
