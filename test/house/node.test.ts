/** npm scripts run the Node that the repository pins, whatever the machine has; an older one is told in a sentence. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { packageJson, read, root } from './repository.ts';

const pinned = packageJson().devDependencies.node!;

function older(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major < 24 || (major === 24 && minor < 12);
}

test('this test runs under the pinned Node', () => {
  expect(process.versions.node).toBe(pinned);
  expect(older(pinned)).toBe(false);
});

test('a script of npm finds the pinned Node, with any other in front of the path', () => {
  // A stand-in for the machine's own Node, which is never reached.
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-node-'));
  try {
    writeFileSync(join(folder, 'node'), '#!/bin/sh\necho v18.0.0\n', { mode: 0o755 });
    const run = mkdtempSync(join(folder, 'run-'));
    const manifest = { name: 'x', private: true, scripts: { version: 'node -v' } };
    writeFileSync(join(run, 'package.json'), JSON.stringify(manifest));
    const path = [join(root, 'node_modules/.bin'), folder, process.env.PATH].join(delimiter);
    const seen = execFileSync('sh', ['-c', 'node -v'], {
      cwd: run,
      env: { ...process.env, PATH: path },
      encoding: 'utf8',
    });
    expect(seen.trim()).toBe(`v${pinned}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('npm puts it in front for every script of this package', () => {
  // As a person calls it: without the folder of the pinned Node, which this run already has in its path.
  const plain = (process.env.PATH ?? '').split(delimiter).filter((part) => !part.includes('node_modules'));
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
    PATH: plain.join(delimiter),
  };
  const called = spawnSync('npm', ['exec', '--offline', '--call', 'node -v'], { cwd: root, env, encoding: 'utf8' });
  expect(called.stdout.trim()).toBe(`v${pinned}`);
});

test('start, test and the others call plain commands of the package, which npm resolves to its own', () => {
  const { scripts } = packageJson();
  for (const name of ['start', 'demo', 'test', 'test:faults', 'bench']) expect(scripts).toHaveProperty([name]);
  for (const [name, script] of Object.entries(scripts)) {
    for (const part of script.split('&&')) {
      expect(part.trim(), name).toMatch(/^(node (bin|bench|web)\/|vitest run|npm run |biome |tsc)/);
    }
  }
  expect(scripts.start).toBe('node bin/strongroom.js serve');
});

test('an older Node is told what is missing in one sentence', () => {
  const source = read('bin/strongroom.js');
  const asOlder = (version: string) => {
    const script = `Object.defineProperty(process, 'versions', { value: { node: ${JSON.stringify(version)} } }); ${source.replace(/^#!.*\n/, '').replaceAll(/import\('[^']*'\)/g, "Promise.resolve({ main() { console.log('started'); } })")}`;
    return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  };
  for (const version of ['18.20.0', '20.20.2', '22.99.0', '23.11.0', '24.11.1']) {
    const { status, stderr, stdout } = asOlder(version);
    expect([status, stdout], version).toEqual([1, '']);
    expect(stderr.trim()).toMatch(/^Strongroom needs Node 24\.12 or later .*\.$/);
  }
  for (const version of ['24.12.0', pinned, '25.0.0', '30.1.0']) {
    expect(asOlder(version)).toMatchObject({ status: 0, stdout: 'started\n' });
  }
});

test('package, engines and types agree on the version', () => {
  expect(packageJson().engines.node).toBe('>=24.12');
  expect(packageJson().devDependencies['@types/node']).toMatch(/^24\./);
});

test('exactly the install scripts that are needed are allowed', () => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: boolean; optional?: boolean; os?: string[]; cpu?: string[] }>;
  };
  const allowed = packageJson().allowScripts;
  const wanting = Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.hasInstallScript === true)
    .filter(([path]) => existsSync(join(root, path)))
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
  expect(wanting).toContain('node');
  for (const name of wanting) expect(allowed, name).toHaveProperty([name]);
});

test('the lock file carries every platform of the tools that are binaries', () => {
  const lock = Object.keys(
    (JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: object }).packages,
  );
  for (const name of [
    '@biomejs/cli-linux-x64',
    '@biomejs/cli-darwin-arm64',
    '@biomejs/cli-win32-x64',
    '@node-rs/argon2-linux-x64-gnu',
    '@node-rs/argon2-darwin-arm64',
  ]) {
    expect(lock, name).toContain(`node_modules/${name}`);
  }
});
