/**
 * What a value of a setting must look like: its type, the rules of single settings, and those between two of them.
 * Messages name the rule and never repeat a value, which could be a secret.
 */
import type { FieldError } from './errors.ts';
import { serversMistake } from './placements/postgres-servers.ts';
import type { Config, Setting, SettingName } from './settings.ts';

export type Checked = { readonly value: unknown } | { readonly mistake: string };

const flags: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

/**
 * The value of one setting, or what is wrong with it.
 * @param from `text`: a variable or flag, where numbers and flags come as words. `typed`: the file, which has types.
 */
export function checkValue(name: SettingName, setting: Setting, raw: unknown, from: 'text' | 'typed'): Checked {
  const typed = byType(setting, raw, from);
  if ('mistake' in typed || typeof typed.value !== 'string') return typed;
  const rule = rules[name];
  const mistake = rule?.(typed.value);
  return mistake === undefined ? typed : { mistake };
}

function byType(setting: Setting, raw: unknown, from: 'text' | 'typed'): Checked {
  if (setting.type === 'whole') return whole(raw, setting.min, setting.max, from);
  if (setting.type === 'flag') {
    const value =
      typeof raw === 'boolean' ? raw : from === 'text' ? flags[String(raw).trim().toLowerCase()] : undefined;
    return value === undefined ? { mistake: 'It must be true or false.' } : { value };
  }
  if (typeof raw !== 'string') return { mistake: 'It must be text; put it in quotes.' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f]/.test(raw)) return { mistake: 'It must not hold control characters.' };
  const value = raw.trim();
  if (setting.type === 'choice' && !setting.choices.includes(value)) {
    return { mistake: `It must be one of ${setting.choices.join(', ')}.` };
  }
  if (setting.type === 'text' && value === '') return { mistake: 'It must not be empty.' };
  if (setting.type === 'optional' && value === '') return { value: null };
  return { value };
}

function whole(raw: unknown, min: number, max: number, from: 'text' | 'typed'): Checked {
  const upTo = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;
  const mistake = { mistake: `It must be a whole number ${upTo}.` };
  const words = typeof raw === 'string' && from === 'text' && /^[0-9]{1,16}$/.test(raw.trim());
  if (!words && typeof raw !== 'number') return mistake;
  const value = Number(raw);
  return Number.isSafeInteger(value) && value >= min && value <= max ? { value } : mistake;
}

/** The rule of one setting: what is wrong with the text, or undefined. */
type Rule = (value: string) => string | undefined;

const url =
  (...protocols: string[]): Rule =>
  (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    const fits = parsed !== undefined && protocols.includes(parsed.protocol) && parsed.host !== '';
    return fits ? undefined : `It must be an address that begins with ${protocols.map((p) => `${p}//`).join(' or ')}.`;
  };

const pattern =
  (form: RegExp, message: string): Rule =>
  (value) =>
    form.test(value) ? undefined : message;

/** Exactly one place for the tenant's id; what stands around it must keep names injective and safe. */
const template =
  (around: RegExp, longest: number, message: string): Rule =>
  (value) => {
    const parts = value.split(/\{id\}|\{tenant_id\}/);
    const length = parts.join('').length + 26;
    return parts.length === 2 && around.test(parts.join('0')) && length <= longest ? undefined : message;
  };

const rules: Partial<Readonly<Record<SettingName, Rule>>> = {
  publicUrl: url('http:', 'https:'),
  controlUrl: url('postgres:', 'postgresql:'),
  controlDirectUrl: url('postgres:', 'postgresql:'),
  postgresUrl: url('postgres:', 'postgresql:'),
  postgresPooledUrl: url('postgres:', 'postgresql:'),
  postgresServers: serversMistake,
  s3Endpoint: url('http:', 'https:'),
  neonApiUrl: url('http:', 'https:'),
  smtpUrl: url('smtp:', 'smtps:'),
  schemaTemplate: template(
    /^[a-z][a-z0-9_]*$/,
    63,
    'It must have {id} in it once, begin with a lower-case letter and otherwise hold lower-case letters, digits and _, at most 63 with the 26 of the id.',
  ),
  pathTemplate: template(
    /^[a-z0-9_][a-z0-9._-]*(\/[a-z0-9_][a-z0-9._-]*)*$/,
    200,
    'It must be a relative path with {id} in it once, of lower-case letters, digits, ., _, - and /.',
  ),
  s3SharedBucket: pattern(
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'It must be the name of a bucket: 3 to 63 lower-case letters, digits, - and .',
  ),
  s3KeysCommand: pattern(/^\//, 'It must be the absolute path of a program.'),
  bucketPrefix: pattern(
    /^[a-z0-9]([a-z0-9-]{0,34}[a-z0-9])?$/,
    'It must hold at most 36 lower-case letters, digits and -, and begin and end with a letter or digit.',
  ),
};

/** Rules between settings, asked when each by itself is right. */
export function checkTogether(config: Config): readonly FieldError[] {
  const mistakes: FieldError[] = [];
  if (config.tenantConnections > config.maxConnections) {
    mistakes.push({
      path: 'STRONGROOM_TENANT_CONNECTIONS',
      message: 'It must not be more than STRONGROOM_MAX_CONNECTIONS.',
    });
  }
  if (config.postgresPooledUrl !== null && config.postgresUrl === null) {
    mistakes.push({
      path: 'STRONGROOM_POSTGRES_POOLED_URL',
      message: 'It needs STRONGROOM_POSTGRES_URL, which goes to the same server directly.',
    });
  }
  if (config.fileStore === 's3' && (config.s3AccessKeyId === null) !== (config.s3SecretAccessKey === null)) {
    mistakes.push({
      path: config.s3AccessKeyId === null ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY',
      message:
        'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together; without both the keys of the machine are used.',
    });
  }
  return mistakes;
}
