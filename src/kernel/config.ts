/**
 * Where the values of the settings come from: defaults, then `strongroom.yaml`, then the environment, then flags.
 *
 * - The file's keys are the setting names in snake_case (`data_dir`, `max_connections`); it lies in the current folder
 *   or where `--config` says. A relative `data_dir` in it counts from the file's own folder.
 * - An unknown key of the file, an unknown `STRONGROOM_…` variable and an unknown flag are refused with the nearest
 *   name; every mistake is named at once, and a secret's value is never part of a message.
 * - An empty variable and an empty key of the file count as not given.
 *
 * This is the one file of the product that reads an environment; it receives it, and never reaches for it.
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { type FieldError, StrongroomError } from './errors.ts';
import { checkTogether, checkValue } from './setting-rules.ts';
import { type Config, type Setting, type SettingName, settings } from './settings.ts';

/** Which of the four places a value came from; a later one wins. */
export type Source = 'default' | 'file' | 'environment' | 'flag';

export interface LoadedConfig {
  readonly config: Config;
  readonly sources: Readonly<Record<SettingName, Source>>;
}

export interface ConfigInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By setting name (`dataDir`), as text or typed; undefined counts as not given. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Path of the file. Left out: `strongroom.yaml` in the current folder, if it is there. Null: no file. */
  readonly file?: string | null;
}

const names = Object.keys(settings) as SettingName[];
const table: Readonly<Record<SettingName, Setting>> = settings;
const defaultFile = 'strongroom.yaml';
/** Variables of the test suite, which starts real servers with its own environment; never settings. */
const testPrefix = 'STRONGROOM_TEST_';

/** The name of a setting as the file writes it: `dataDir` is `data_dir`. */
export function fileKey(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The name of a setting as the command line writes it: `dataDir` is `--data-dir`. */
export function flagName(name: SettingName): string {
  return `--${fileKey(name).replaceAll('_', '-')}`;
}

/**
 * Reads, checks and merges every setting.
 * @throws invalid `config_invalid`, its `fields` naming every mistake
 */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const mistakes: FieldError[] = [];
  const values = Object.fromEntries(names.map((name) => [name, table[name].default])) as Record<SettingName, unknown>;
  const sources = Object.fromEntries(names.map((name) => [name, 'default'])) as Record<SettingName, Source>;

  const take = (name: SettingName, raw: unknown, source: Source, place: string): void => {
    const result = checkValue(name, table[name], raw, source === 'file' ? 'typed' : 'text');
    if ('mistake' in result) mistakes.push({ path: place, message: result.mistake });
    else {
      values[name] = result.value;
      sources[name] = source;
    }
  };

  const folder = takeFile(input.file, take, mistakes);
  if (sources.dataDir === 'file') values.dataDir = resolve(folder, String(values.dataDir));
  takeEnvironment(input.env, take, mistakes);
  takeFlags(input.flags ?? {}, take, mistakes);
  values.dataDir = resolve(String(values.dataDir));

  const config = values as unknown as Config;
  if (mistakes.length === 0) mistakes.push(...checkTogether(config));
  if (mistakes.length > 0) throw refusal(mistakes);
  return { config, sources };
}

type Take = (name: SettingName, raw: unknown, source: Source, place: string) => void;

/** Reads the file and returns the folder it lies in. */
function takeFile(file: string | null | undefined, take: Take, mistakes: FieldError[]): string {
  if (file === null) return '.';
  const path = file ?? defaultFile;
  const shown = file === undefined ? defaultFile : path;
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!(missing && file === undefined)) {
      mistakes.push({ path: shown, message: missing ? 'There is no such file.' : 'The file cannot be read.' });
    }
    return '.';
  }
  let parsed: unknown;
  try {
    parsed = parse(content);
  } catch (error) {
    const at = (error as { linePos?: readonly { line: number }[] }).linePos?.[0]?.line;
    mistakes.push({ path: shown, message: `This is not valid YAML${at === undefined ? '' : ` (line ${at})`}.` });
    return '.';
  }
  if (parsed === null || parsed === undefined) return dirname(path);
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    mistakes.push({ path: shown, message: 'The file must hold settings as `name: value`.' });
    return '.';
  }
  const byKey = new Map(names.map((name) => [fileKey(name), name]));
  for (const [key, raw] of Object.entries(parsed)) {
    const name = byKey.get(key);
    const place = `${shown}: ${key}`;
    if (name === undefined) mistakes.push({ path: place, message: unknown('setting', key, [...byKey.keys()]) });
    else if (raw !== null) take(name, raw, 'file', place);
  }
  return dirname(path);
}

function takeEnvironment(env: ConfigInput['env'], take: Take, mistakes: FieldError[]): void {
  const byVariable = new Map(names.map((name) => [table[name].variable, name]));
  for (const [variable, name] of byVariable) {
    const raw = env[variable];
    if (raw !== undefined && raw !== '') take(name, raw, 'environment', variable);
  }
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('STRONGROOM_') || variable.startsWith(testPrefix) || byVariable.has(variable)) continue;
    mistakes.push({ path: variable, message: unknown('variable', variable, [...byVariable.keys()]) });
  }
}

function takeFlags(flags: Readonly<Record<string, unknown>>, take: Take, mistakes: FieldError[]): void {
  const known = new Set<string>(names);
  for (const [name, raw] of Object.entries(flags)) {
    if (raw === undefined) continue;
    if (known.has(name)) take(name as SettingName, raw, 'flag', flagName(name as SettingName));
    else mistakes.push({ path: name, message: unknown('flag', name, names) });
  }
}

function refusal(mistakes: readonly FieldError[]): StrongroomError {
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
  const lines = mistakes.map(({ path, message }) => `  ${path}: ${message}`);
  return new StrongroomError('invalid', 'config_invalid', `The configuration has ${count}:\n${lines.join('\n')}`, {
    fields: mistakes,
  });
}

function unknown(kind: string, given: string, known: readonly string[]): string {
  const near = nearest(given, known);
  return near === undefined ? `There is no such ${kind}.` : `There is no such ${kind}. Did you mean ${near}?`;
}

/** The known name with the fewest edits to the given one; undefined where none is at all alike. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (best === undefined || distance < best.distance) best = { name, distance };
  }
  return best !== undefined && best.distance <= Math.max(2, Math.floor(given.length / 3)) ? best.name : undefined;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const swap = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}

/** One line of `strongroom config`. `value` is text for a person; a secret that is set is shown as stars. */
export interface ConfigLine {
  readonly name: SettingName;
  readonly key: string;
  readonly variable: string;
  readonly value: string | number | boolean | null;
  readonly source: Source;
  readonly secret: boolean;
  readonly text: string;
}

/** Every setting with its value and where it came from; no secret is ever in it. */
export function describeConfig({ config, sources }: LoadedConfig): readonly ConfigLine[] {
  return names.map((name) => {
    const { variable, text, secret } = table[name];
    const value = config[name];
    return {
      name,
      key: fileKey(name),
      variable,
      value: secret === true && value !== null ? '********' : value,
      source: sources[name],
      secret: secret === true,
      text,
    };
  });
}

/**
 * A configuration for tests: the defaults, quiet, on a free port, changed by `overrides`. Without a `dataDir` it names
 * a folder under the temporary one that nobody made.
 */
export function testConfig(overrides: Partial<Config> = {}): Config {
  const dataDir = join(tmpdir(), `strongroom-unset-${process.pid}`);
  const { config } = loadConfig({ env: {}, file: null, flags: { dataDir } });
  return { ...config, port: 0, logLevel: 'silent', logFormat: 'json', freeSpaceFloorBytes: 0, ...overrides };
}
