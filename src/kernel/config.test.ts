/** Settings come from four places in one order, and every mistake is named at once without a secret in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConfigInput, describeConfig, fileKey, loadConfig, nearest, testConfig } from './config.ts';
import { StrongroomError } from './errors.ts';
import { type SettingName, settings } from './settings.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'strongroom-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, 'strongroom.yaml');
  writeFileSync(path, content);
  return path;
}

function refusal(input: ConfigInput): StrongroomError {
  try {
    loadConfig(input);
  } catch (error) {
    if (error instanceof StrongroomError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

describe('order', () => {
  test('defaults, file, environment, flags: the later wins, and the source is told', () => {
    const path = file('port: 1001\nmax_connections: 1002\nlog_level: warn\n');
    const env = { STRONGROOM_MAX_CONNECTIONS: '2002', STRONGROOM_LOG_LEVEL: 'error' };
    const { config, sources } = loadConfig({ file: path, env, flags: { logLevel: 'debug', host: undefined } });
    expect(config).toMatchObject({ host: '127.0.0.1', port: 1001, maxConnections: 2002, logLevel: 'debug' });
    expect(sources).toMatchObject({ host: 'default', port: 'file', maxConnections: 'environment', logLevel: 'flag' });
  });

  test('an empty variable and an empty key count as not given', () => {
    const { config, sources } = loadConfig({ file: file('neon_org_id:\n'), env: { PORT: '', NEON_API_KEY: '' } });
    expect(config).toMatchObject({ port: 8000, neonApiKey: null, neonOrgId: null });
    expect(sources).toMatchObject({ port: 'default', neonApiKey: 'default', neonOrgId: 'default' });
  });

  test('the data folder of the file counts from the file, that of a variable from here', () => {
    expect(loadConfig({ file: file('data_dir: rooms\n'), env: {} }).config.dataDir).toBe(join(folder, 'rooms'));
    const env = { STRONGROOM_DATA_DIR: 'rooms' };
    expect(loadConfig({ file: null, env }).config.dataDir).toBe(join(process.cwd(), 'rooms'));
  });

  test('every default is a value that its own rule accepts', () => {
    const flags = Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, setting.default]));
    const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== null));
    expect(() => loadConfig({ env: {}, file: null, flags: given })).not.toThrow();
  });
});

describe('mistakes', () => {
  test('all are named at once, each where it was made', () => {
    const error = refusal({
      file: file('prot: 1\nport: "8000"\nplacement: sqlight\n'),
      env: { STRONGROOM_DATA_DR: 'x', STRONGROOM_TRUST_PROXY: 'maybe' },
      flags: { sqliteWorkers: '0', tenantConections: 1 },
    });
    expect([error.kind, error.code]).toEqual(['invalid', 'config_invalid']);
    const said = Object.fromEntries(error.fields!.map((field) => [field.path.replace(folder, ''), field.message]));
    expect(said).toEqual({
      '/strongroom.yaml: prot': 'There is no such setting. Did you mean port?',
      '/strongroom.yaml: port': 'It must be a whole number from 0 to 65535.',
      '/strongroom.yaml: placement': 'It must be one of sqlite, schema, database, neon.',
      STRONGROOM_DATA_DR: 'There is no such variable. Did you mean STRONGROOM_DATA_DIR?',
      STRONGROOM_TRUST_PROXY: 'It must be true or false.',
      '--sqlite-workers': 'It must be a whole number from 1 to 64.',
      tenantConections: 'There is no such flag. Did you mean tenantConnections?',
    });
    for (const { path } of error.fields!) expect(error.message).toContain(path);
  });

  test.each([
    ['PORT', '-1'],
    ['PORT', '1e3'],
    ['PORT', '65536'],
    ['PORT', '0x10'],
    ['PORT', ' '],
    ['HOST', 'a\u0000b'],
    ['HOST', '  '],
    ['STRONGROOM_MAX_UPLOAD_BYTES', '9007199254740992'],
    ['STRONGROOM_PUBLIC_URL', 'javascript:alert(1)'],
    ['STRONGROOM_SMTP_URL', 'http://localhost'],
    ['STRONGROOM_SCHEMA_TEMPLATE', 'tenant'],
    ['STRONGROOM_SCHEMA_TEMPLATE', 'tenant_{id}_{id}'],
    ['STRONGROOM_SCHEMA_TEMPLATE', 'Tenant_{id}'],
    ['STRONGROOM_SCHEMA_TEMPLATE', `${'t'.repeat(38)}{id}`],
    ['STRONGROOM_SCHEMA_TEMPLATE', 't"; DROP SCHEMA x; --{id}'],
    ['STRONGROOM_PATH_TEMPLATE', '../{id}.db'],
    ['STRONGROOM_PATH_TEMPLATE', '/{id}.db'],
    ['STRONGROOM_PATH_TEMPLATE', 'tenants/../../{id}.db'],
    ['AWS_S3_BUCKET_PREFIX', 'Upper'],
    ['AWS_S3_BUCKET_PREFIX', 'p'.repeat(37)],
    ['AWS_S3_BUCKET_PREFIX', '-a'],
  ])('%s = %j is refused', (variable, value) => {
    expect(refusal({ env: { [variable]: value }, file: null }).fields!.map(({ path }) => path)).toEqual([variable]);
  });

  test.each([
    ['STRONGROOM_SCHEMA_TEMPLATE', `${'t'.repeat(37)}{id}`],
    ['STRONGROOM_SCHEMA_TEMPLATE', 't_{tenant_id}'],
    ['STRONGROOM_PATH_TEMPLATE', 'a/b/{tenant_id}'],
    ['AWS_S3_BUCKET_PREFIX', 'p'.repeat(36)],
  ])('%s = %j is accepted', (variable, value) => {
    expect(() => loadConfig({ env: { [variable]: value }, file: null })).not.toThrow();
  });

  test('one tenant may not have more connections than there are', () => {
    const env = { STRONGROOM_MAX_CONNECTIONS: '4', STRONGROOM_TENANT_CONNECTIONS: '5' };
    expect(refusal({ env, file: null }).fields![0]!.path).toBe('STRONGROOM_TENANT_CONNECTIONS');
  });

  test.each([
    ['a list', '- a\n'],
    ['text', 'hello\n'],
    ['broken YAML', 'port: [1\n'],
    ['a key twice', 'port: 1\nport: 2\n'],
    ['a nested value', 'host: { a: 1 }\n'],
  ])('a file that holds %s is refused', (_, content) => {
    expect(refusal({ env: {}, file: file(content) }).code).toBe('config_invalid');
  });

  test('a file that was asked for must be there; the usual one need not', () => {
    expect(refusal({ env: {}, file: join(folder, 'none.yaml') }).fields![0]!.message).toBe('There is no such file.');
    expect(() => loadConfig({ env: {} })).not.toThrow();
  });

  test('variables of others and of the test suite are left alone', () => {
    expect(() => loadConfig({ env: { PATH: 'x', STRONGROOM_TEST_ROUNDS: '1' }, file: null })).not.toThrow();
  });
});

describe('secrets', () => {
  const secret = 'S3cr3t-in-a-url';

  test('no message repeats one', () => {
    const error = refusal({ env: { MANAGEMENT_DATABASE_URL: `mysql://user:${secret}@host`, PORT: 'x' }, file: null });
    expect(JSON.stringify([error.message, error.fields])).not.toContain(secret);
  });

  test('the description shows stars, and all that is not secret', () => {
    const loaded = loadConfig({ env: { NEON_API_KEY: secret, PORT: '9000' }, file: null });
    const lines = describeConfig(loaded);
    expect(JSON.stringify(lines)).not.toContain(secret);
    const line = (name: SettingName) => lines.find((one) => one.name === name);
    expect(line('neonApiKey')).toMatchObject({ value: '********', source: 'environment', secret: true });
    expect(line('smtpUrl')).toMatchObject({ value: null, source: 'default' });
    expect(line('port')).toMatchObject({ key: 'port', variable: 'PORT', value: 9000, source: 'environment' });
    expect(lines).toHaveLength(Object.keys(settings).length);
  });
});

test('no two settings share a variable or a key of the file', () => {
  const names = Object.keys(settings) as SettingName[];
  expect(new Set(names.map(fileKey)).size).toBe(names.length);
  expect(new Set(names.map((name) => settings[name].variable)).size).toBe(names.length);
});

test('nothing is suggested for a name that is like none', () => {
  expect(nearest('zzzzzzzz', ['port', 'host'])).toBeUndefined();
});

test('the configuration for tests can be changed and is quiet', () => {
  expect(testConfig({ port: 7 })).toMatchObject({ port: 7, logLevel: 'silent', placement: 'sqlite' });
});
