/** docs/reference/command-line.md, from the commands and the exit codes. */
import type { Command } from 'commander';
import { exitCodes, exitMeanings } from '../exit-codes.ts';
import { createProgram, everyCommand } from '../run.ts';
import { createTools } from '../tools.ts';

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent as Command)} ${command.name()}`;
}

function section(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? ` <${name}>` : ` [${name}]`;
  });
  const options = command.options.map(
    (option) => `| \`${option.flags}\` | ${option.description}${option.mandatory ? ' (required)' : ''} |`,
  );
  return [
    `## ${pathOf(command)}${words.join('')}`,
    '',
    `${command.description().charAt(0).toUpperCase()}${command.description().slice(1)}.`,
    ...(options.length === 0 ? [] : ['', '| Option | |', '|---|---|', ...options]),
  ].join('\n');
}

export function commandLinePage(): string {
  const commands = everyCommand(createProgram(createTools())).filter((command) => command.commands.length === 0);
  const codes = (Object.keys(exitCodes) as (keyof typeof exitCodes)[]).map(
    (name) => `| ${exitCodes[name]} | ${exitMeanings[name]} |`,
  );
  return `# Command line

Made from the commands. Run as \`npm run strongroom -- <command>\` in the repository, or \`strongroom <command>\` where the
package is installed. Commands reach a running server through the socket in its data folder, which only the folder's
owner can open; where none runs they do the work themselves.

Answers go to standard output, remarks and errors to standard error. \`--json\` answers for programs. Passwords come on
standard input alone, never as an argument.

| Exit code | |
|---|---|
${codes.join('\n')}

${commands.map(section).join('\n\n')}
`;
}
