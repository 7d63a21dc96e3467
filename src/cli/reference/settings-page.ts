/** docs/reference/settings.md, from the table of settings. */
import { fileKey, flagName } from '../../kernel/config.ts';
import { type Setting, type SettingName, settings } from '../../kernel/settings.ts';

function defaultOf(setting: Setting): string {
  return setting.default === null || setting.default === '' ? '–' : `\`${setting.default}\``;
}

function typeOf(setting: Setting): string {
  if (setting.type === 'choice') return setting.choices.map((choice) => `\`${choice}\``).join(', ');
  if (setting.type === 'whole') {
    const upper = setting.max === Number.MAX_SAFE_INTEGER ? 'or more' : `to ${setting.max}`;
    return `whole number, ${setting.min} ${upper}`;
  }
  return { text: 'text', optional: 'text', flag: '`true` or `false`' }[setting.type];
}

export function settingsPage(): string {
  const names = Object.keys(settings) as SettingName[];
  const rows = names.map((name) => {
    const setting: Setting = settings[name];
    const secret = setting.secret === true ? ' Secret: never printed.' : '';
    return `| \`${setting.variable}\` | \`${fileKey(name)}\` | ${typeOf(setting)} | ${defaultOf(setting)} | ${setting.text}${secret} |`;
  });
  return `# Settings

Made from \`src/kernel/settings.ts\`. Nothing is required.

A value comes from the default, then \`strongroom.yaml\` (in the current folder, or where \`--config\` says), then the
environment, then a flag; a later one wins. A flag is the key with hyphens (\`${flagName('dataDir')}\`); which commands take
which flags stands in \`strongroom <command> --help\`. Unknown keys, \`STRONGROOM_…\` variables and flags are refused with
the nearest name. \`strongroom config\` prints every effective value and where it came from.

| Variable | Key in the file | Value | Default | Meaning |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
