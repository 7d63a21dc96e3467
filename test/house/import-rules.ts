/**
 * Who may import whom (ARCHITECTURE.md, "Rooms"), as a function from a file and its text to what is wrong with it.
 * Paths are from the root of the repository, with `/`.
 */
import { posix } from 'node:path';
import { type Import, importsOf } from './import-scanner.ts';

/** The permitted direction: a module may use those before it. */
export const moduleOrder = ['accounts', 'fleet', 'documents'] as const;

export interface Repository {
  /** Every file there is, so that an import of nothing is seen. */
  readonly files: ReadonlySet<string>;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

type Room = 'kernel' | 'module' | 'modules' | 'server' | 'cli' | 'client' | 'front' | 'bin' | 'web' | 'outside';

function roomOf(path: string): Room {
  if (path.startsWith('src/kernel/')) return 'kernel';
  if (/^src\/modules\/[^/]+\//.test(path)) return 'module';
  if (path.startsWith('src/modules/')) return 'modules';
  if (path.startsWith('src/server/')) return 'server';
  if (path.startsWith('src/cli/')) return 'cli';
  if (path.startsWith('src/client/')) return 'client';
  if (path.startsWith('src/')) return 'front';
  if (path.startsWith('web/src/')) return 'web';
  return path.startsWith('bin/') ? 'bin' : 'outside';
}

const moduleOf = (path: string) => path.split('/')[2] ?? '';
/** Tests, and what only tests use, may stand beside the code. */
const isTest = (path: string) => /(\.test|\/test-support|\/testing)\.ts$/.test(path);

/** A module's doors: its `index.ts`, and its contract, which may be split into several files. */
const isDoor = (path: string) => /^src\/modules\/[^/]+\/(index|([a-z]+-)?contract)\.ts$/.test(path);

/** Files that run in browsers too. */
export function isBrowserSafe(path: string): boolean {
  if (isTest(path)) return false;
  const kernel = ['src/kernel/contract.ts', 'src/kernel/roles.ts', 'src/kernel/shapes.ts'];
  return kernel.includes(path) || path.startsWith('src/client/') || /^src\/modules\/.*contract\.ts$/.test(path);
}

/** The rooms that each room may reach into, its own aside. */
const mayUse: Readonly<Record<Room, readonly Room[]>> = {
  kernel: [],
  module: ['kernel'],
  modules: ['kernel', 'module'],
  server: ['kernel', 'modules', 'module'],
  client: ['kernel', 'module'],
  cli: ['kernel', 'modules', 'module', 'server', 'client', 'front'],
  front: ['kernel', 'modules', 'module', 'server', 'client'],
  bin: ['cli'],
  web: ['client', 'module', 'kernel'],
  outside: ['kernel', 'modules', 'module', 'server', 'client', 'cli', 'front', 'bin'],
};

/** What breaks the rules in one file; each as a sentence without the file's name. */
export function importMistakes(path: string, source: string, repository: Repository): readonly string[] {
  const mistakes: string[] = [];
  for (const one of importsOf(source)) {
    const mistake = importMistake(path, one, repository);
    if (mistake !== undefined) mistakes.push(mistake);
  }
  if (readsEnvironment(source) && !mayReadEnvironment(path)) mistakes.push('reads the environment');
  return mistakes;
}

function importMistake(path: string, { specifier, how }: Import, repository: Repository): string | undefined {
  const where = roomOf(path);
  if (how === 'require' && path.startsWith('src/')) return 'uses require';
  if (specifier === undefined) {
    return where === 'outside' || isTest(path) ? undefined : 'imports something computed, which no rule can see';
  }
  if (!specifier.startsWith('.')) return packageMistake(path, specifier, repository);
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  if (!repository.files.has(target)) return `imports ${specifier}, which is not there`;
  return roomMistake(path, target);
}

const httpPackages = /^(fastify|@fastify\/.*|node:http|node:https|node:http2)$/;

function packageMistake(path: string, specifier: string, repository: Repository): string | undefined {
  const where = roomOf(path);
  // The web app is built before it is shipped: what it is made of is there to build it.
  const shipped = (where !== 'outside' || path.startsWith('src/')) && where !== 'web' && !isTest(path);
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const builtIn = specifier.startsWith('node:');
  if (where === 'web' && builtIn && !isTest(path)) return `is to run in browsers and imports ${specifier}`;
  const known = repository.dependencies.has(name) || (!shipped && repository.devDependencies.has(name));
  if (!builtIn && !known) return `imports ${name}, which is not a dependency${shipped ? '' : ' of any kind'}`;
  if (isBrowserSafe(path) && name !== 'zod') return `is to run in browsers and imports ${specifier}`;
  if (isTest(path)) return undefined;
  const framework = /^(fastify|@fastify\/.*)$/.test(name);
  if (framework && !['server', 'outside'].includes(where)) return `imports ${name}, which only server may`;
  if (httpPackages.test(specifier) && ['kernel', 'module', 'modules'].includes(where)) {
    return `imports ${specifier}, and knows nothing of HTTP`;
  }
  return undefined;
}

function roomMistake(path: string, target: string): string | undefined {
  const [from, to] = [roomOf(path), roomOf(target)];
  if (to === 'outside')
    return from === 'outside' || isTest(path) ? undefined : `imports ${target}, which is not shipped`;
  if (isBrowserSafe(path) && !isBrowserSafe(target)) return `is to run in browsers and imports ${target}`;
  if (from === 'outside') return undefined;
  if (from === 'web' || to === 'web') return webMistake(path, target);
  if (isTest(target) && !isTest(path)) return `imports ${target}, which is for tests`;
  if (from === 'module' && to === 'module') return betweenModules(path, target);
  // A test of a module may ask the list of all for what a real database needs.
  if (isTest(path) && from === 'module' && to === 'modules') return undefined;
  if (from !== to && !mayUse[from].includes(to)) return `imports ${target}: ${from} may not use ${to}`;
  // The list of modules also gathers their migrations, so that these can be read without making the modules.
  const migrations = from === 'modules' && target.endsWith('/migrations/index.ts');
  const inside = to === 'module' && from !== 'module' && !isTest(path);
  return inside && !isDoor(target) && !migrations
    ? `imports ${target} past the module’s index.ts and contract.ts`
    : undefined;
}

/** The web app stands on the typed client and on what runs in browsers; its shared parts know no area, nobody knows it. */
function webMistake(path: string, target: string): string | undefined {
  const [from, to] = [roomOf(path), roomOf(target)];
  if (from !== 'web') return `imports ${target}, which only the web app may`;
  if (to !== 'web') return isBrowserSafe(target) ? undefined : `is to run in browsers and imports ${target}`;
  const inKit = path.startsWith('web/src/kit/') && !target.startsWith('web/src/kit/');
  return inKit ? `imports ${target}: shared parts know no area` : undefined;
}

function betweenModules(path: string, target: string): string | undefined {
  const [from, to] = [moduleOf(path), moduleOf(target)];
  if (from === to) return undefined;
  const order: readonly string[] = moduleOrder;
  if (!order.includes(from) || !order.includes(to)) return `imports ${target}: the order of its module is not stated`;
  if (order.indexOf(to) > order.indexOf(from)) return `imports ${target}: ${from} stands before ${to}`;
  return isDoor(target) ? undefined : `imports ${target} past the module’s index.ts and contract.ts`;
}

function readsEnvironment(source: string): boolean {
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
  return /\bprocess\s*\??\.\s*env\b|\bprocess\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|\benv\b[^;]*from 'node:process'/.test(
    code,
  );
}

/** Settings come from the environment through `config.ts` alone; the command line is where it is handed in. */
function mayReadEnvironment(path: string): boolean {
  const allowed = ['src/kernel/config.ts', 'src/cli/index.ts', 'src/cli/terminal.ts'];
  return !path.startsWith('src/') || isTest(path) || allowed.includes(path);
}
