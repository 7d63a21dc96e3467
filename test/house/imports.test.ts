/** Imports point down and left, through front doors only; a checker that saw too little does not pass. */
import { describe, expect, test } from 'vitest';
import { moduleMigrations } from '../../src/modules/index.ts';
import { importMistakes, isBrowserSafe, moduleOrder } from './import-rules.ts';
import { importsOf } from './import-scanner.ts';
import { isSource, read, repository, repositoryFiles } from './repository.ts';

/** Fewer than this, and the checker has lost its files. Raise it when the product grows. */
const fewest = { files: 150, imports: 700, browserSafe: 6 };

const sources = repositoryFiles().filter(isSource);

test('every source keeps the rules', () => {
  const here = repository();
  const mistakes = sources.flatMap((path) => importMistakes(path, read(path), here).map((text) => `${path} ${text}`));
  expect(mistakes).toEqual([]);
});

test('enough was seen to say so', () => {
  const imports = sources.flatMap((path) => importsOf(read(path)));
  expect(sources.length).toBeGreaterThanOrEqual(fewest.files);
  expect(imports.length).toBeGreaterThanOrEqual(fewest.imports);
  expect(sources.filter(isBrowserSafe).length).toBeGreaterThanOrEqual(fewest.browserSafe);
  for (const room of ['kernel', 'modules/accounts', 'modules/documents', 'modules/fleet', 'server', 'cli', 'client']) {
    expect(sources.filter((path) => path.startsWith(`src/${room}/`)).length, room).toBeGreaterThan(0);
  }
  expect(sources.filter((path) => path.startsWith('web/src/')).length).toBeGreaterThanOrEqual(50);
});

test('the order of modules is the one they are booted and migrated in', () => {
  const all = /\ball: \[([^\]]*)\]/.exec(read('src/modules/index.ts'))?.[1] ?? '';
  const booted = all.split(',').map((text) => text.trim().replace(/\W.*$/, ''));
  expect(booted).toEqual(moduleOrder);
  expect(moduleMigrations.map(({ module }) => module)).toEqual(moduleOrder);
});

describe('planted violations are caught', () => {
  const here = repository();
  const planted = {
    ...here,
    files: new Set([
      ...here.files,
      'src/modules/accounts/service.ts',
      'src/server/index.ts',
      'src/cli/index.ts',
      'src/modules/documents/index.ts',
      'src/modules/accounts/index.ts',
    ]),
  };
  test.each([
    ['src/kernel/x.ts', "import { a } from '../modules/accounts/index.ts';", /kernel may not use module/],
    ['src/kernel/x.ts', "import type { A } from '../server/index.ts';", /kernel may not use server/],
    ['src/kernel/x.ts', "import fastify from 'fastify';", /only server may/],
    ['src/kernel/x.ts', "import { request } from 'node:http';", /knows nothing of HTTP/],
    ['src/modules/accounts/x.ts', "import { a } from '../documents/index.ts';", /accounts stands before documents/],
    [
      'src/modules/accounts/x.ts',
      "import type { A } from '../documents/index.ts';",
      /accounts stands before documents/,
    ],
    ['src/modules/accounts/x.ts', "type A = import('../documents/index.ts').A;", /accounts stands before documents/],
    [
      'src/modules/accounts/x.ts',
      "const a = await import('../documents/index.ts');",
      /accounts stands before documents/,
    ],
    ['src/modules/accounts/x.ts', "export * from '../documents/index.ts';", /accounts stands before documents/],
    [
      'src/modules/accounts/x.ts',
      "export type { A } from '../documents/index.ts';",
      /accounts stands before documents/,
    ],
    [
      'src/modules/accounts/x.ts',
      "import\n  {\n  a,\n} from\n  '../documents/index.ts'",
      /accounts stands before documents/,
    ],
    [
      'src/modules/accounts/x.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
      'const a = `${await import("../documents/index.ts")}`;',
      /accounts stands before documents/,
    ],
    ['src/modules/accounts/x.ts', 'import(`../documents/index.ts`);', /accounts stands before documents/],
    ['src/modules/documents/x.ts', "import { a } from '../accounts/service.ts';", /past the module/],
    ['src/modules/documents/x.ts', "import '../../server/index.ts';", /module may not use server/],
    ['src/modules/documents/x.ts', "declare module '../accounts/service.ts' {}", /past the module/],
    ['src/modules/documents/x.ts', "import { FastifyRequest } from 'fastify';", /only server may/],
    ['src/modules/unstated/x.ts', "import '../accounts/index.ts';", /order of its module is not stated/],
    ['src/server/x.ts', "import { a } from '../modules/accounts/service.ts';", /past the module/],
    ['src/server/x.ts', "import { a } from '../cli/index.ts';", /server may not use cli/],
    ['src/cli/x.ts', "import { a } from '../modules/accounts/service.ts';", /past the module/],
    ['src/client/x.ts', "import { a } from '../modules/accounts/index.ts';", /run in browsers/],
    ['src/client/x.ts', "import { readFile } from 'node:fs';", /run in browsers/],
    ['src/client/x.ts', "import { a } from 'kysely';", /run in browsers/],
    ['src/modules/accounts/contract.ts', "import { a } from '../../kernel/errors.ts';", /run in browsers/],
    ['src/modules/accounts/auth-contract.ts', "import 'node:crypto';", /run in browsers/],
    ['src/kernel/x.ts', "import { a } from '../../test/house/repository.ts';", /not shipped/],
    ['src/kernel/x.ts', "import { test } from 'vitest';", /not a dependency/],
    ['src/kernel/x.ts', "import lodash from 'lodash';", /not a dependency/],
    ['src/kernel/x.ts', "import { a } from './errors';", /not there/],
    ['src/kernel/x.ts', 'const a = await import(name);', /computed/],
    ['src/kernel/x.ts', "const a = require('node:fs');", /require/],
    ['src/kernel/x.ts', "new Worker(new URL('../server/index.ts', import.meta.url));", /kernel may not use server/],
    ['src/kernel/x.ts', "import { openWorld } from './jobs/test-support.ts';", /for tests/],
    ['web/src/documents/x.tsx', "import { a } from '../../../src/modules/documents/index.ts';", /run in browsers/],
    ['web/src/documents/x.tsx', "import { a } from '../../../src/kernel/errors.ts';", /run in browsers/],
    ['web/src/documents/x.tsx', "import { readFile } from 'node:fs';", /run in browsers/],
    ['web/src/documents/x.tsx', "import axios from 'axios';", /not a dependency of any kind/],
    ['web/src/kit/x.tsx', "import { client } from '../app/session.ts';", /shared parts know no area/],
    ['src/server/x.ts', "import { areas } from '../../web/src/app/areas.ts';", /only the web app may/],
    ['src/kernel/x.ts', "const level = process.env['X'];", /reads the environment/],
    ['src/kernel/x.ts', 'const { env } = process;', /reads the environment/],
    ['src/server/x.ts', "import { env } from 'node:process';", /reads the environment/],
  ])('%s: %s', (path, source, message) => {
    expect(importMistakes(path, source, planted).join('\n')).toMatch(message);
  });

  test.each([
    ['src/modules/documents/x.ts', "import { a } from '../accounts/index.ts';"],
    ['src/modules/accounts/x.ts', "// import { a } from '../documents/index.ts';"],
    ['src/modules/accounts/x.ts', "/* import '../documents/index.ts' */ const a = \"import '../documents/index.ts'\";"],
    ['src/modules/accounts/x.ts', "const a = `import '../documents/index.ts'`;"],
    ['src/modules/accounts/x.ts', "const a = /['\"]/; // import '../documents/index.ts'"],
    ['src/modules/accounts/x.ts', "a.import('../documents/index.ts');"],
    ['src/kernel/x.ts', '/** process.env is read elsewhere */'],
    [
      'web/src/documents/x.tsx',
      "import { ProblemError } from '../../../src/client/index.ts'; import React from 'react';",
    ],
    ['web/src/documents/x.tsx', "import type { A } from '../../../src/modules/documents/contract.ts';"],
    ['test/x.ts', "import fastify from 'fastify'; import { test } from 'vitest';"],
  ])('and nothing else: %s: %s', (path, source) => {
    expect(importMistakes(path, source, planted)).toEqual([]);
  });
});
