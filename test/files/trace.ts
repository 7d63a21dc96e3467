/**
 * Reads a trace of system calls (`strace -f -y`) and says what in it breaks the durable order.
 *
 * A call that several threads overlap has a beginning and an end; "before" means that the one had ended when the other
 * began.
 */

export interface Call {
  readonly name: string;
  /** The paths in its arguments, in order; of descriptors, what they stand for. */
  readonly paths: readonly string[];
  readonly text: string;
  readonly began: number;
  readonly ended: number;
  readonly failed: boolean;
}

/** The calls of a trace in the order of their beginnings. */
export function readTrace(trace: string): readonly Call[] {
  const open = new Map<string, { text: string; began: number }>();
  const calls: Call[] = [];
  trace.split('\n').forEach((line, index) => {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const unfinished = / <unfinished \.\.\.>$/;
    if (unfinished.test(rest)) {
      open.set(thread, { text: rest.replace(unfinished, ''), began: index });
      return;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    const start = resumed === null ? { text: '', began: index } : open.get(thread);
    if (start === undefined) return;
    if (resumed !== null) open.delete(thread);
    const text = start.text + rest.slice(resumed?.[0].length ?? 0);
    const name = /^(\w+)\(/.exec(text)?.[1];
    const answer = /= (-?\d+)[^=]*$/.exec(text)?.[1];
    if (name === undefined || answer === undefined) return;
    const paths = [...text.matchAll(/\d+<([^>]*)>|"(\/[^"]*)"/g)].map((found) => found[1] ?? found[2] ?? '');
    calls.push({ name, paths, text, began: start.began, ended: index, failed: answer.startsWith('-') });
  });
  return calls.sort((a, b) => a.began - b.began);
}

const isWrite = (call: Call) => /^p?writev?(64|2)?$/.test(call.name);
const isSync = (call: Call, path: string) => /^f(data)?sync$/.test(call.name) && call.paths[0] === path && !call.failed;

/** Where the process said that a group of its work was done. */
function saidDone(calls: readonly Call[], group: number): Call | undefined {
  return calls.find((call) => call.name === 'write' && call.text.includes(`{\\"done\\":${group},`));
}

/** Where the process said that the put of an object had resolved. */
function saidPut(calls: readonly Call[], key: string): Call | undefined {
  return calls.find((call) => call.name === 'write' && call.text.includes(`{\\"put\\":\\"${key}`));
}

/** What breaks the promise that renamed objects are durable when their `put` or `finish` resolves, for one group. */
export function renameMistakes(all: readonly Call[], group: number): readonly string[] {
  const [from, to] = [saidDone(all, group - 1)!.ended, saidDone(all, group)!.began];
  const calls = all.filter((call) => call.began > from && call.ended < to);
  const renames = calls.filter((call) => call.name.startsWith('rename') && !call.failed);
  const mistakes = renames.length === 0 ? ['nothing was renamed'] : [];
  for (const rename of renames) {
    const [source = '', target = ''] = rename.paths.slice(-2);
    const written = all.filter((call) => isWrite(call) && call.paths[0] === source);
    const lastWrite = written.at(-1);
    const fileSync = all.find(
      (call) => isSync(call, source) && (lastWrite === undefined || call.began > lastWrite.ended),
    );
    if (fileSync === undefined || fileSync.ended > rename.began) mistakes.push('renamed before the file was fsynced');
    const folder = target.slice(0, target.lastIndexOf('/'));
    const answered = saidPut(calls, target.slice(folder.length + 1))?.began ?? to;
    const folderSync = calls.some((call) => isSync(call, folder) && call.began > rename.ended && call.ended < answered);
    if (!folderSync) mistakes.push('answered before the folder of the rename was fsynced');
    mistakes.push(...folderMistakes(all, folder, to));
  }
  return mistakes;
}

/** A folder that was made must be durable in the folder above. */
function folderMistakes(all: readonly Call[], folder: string, to: number): readonly string[] {
  const made = all.find((call) => call.name.startsWith('mkdir') && call.paths.at(-1) === folder && !call.failed);
  if (made === undefined) return [];
  const above = folder.slice(0, folder.lastIndexOf('/'));
  const durable = all.some((call) => isSync(call, above) && call.began > made.ended && call.ended < to);
  return durable ? [] : ['answered before a new folder was fsynced in the one above'];
}

/** What breaks the promise that appended bytes are durable when `append` resolves, for one group. */
export function appendMistakes(all: readonly Call[], group: number): readonly string[] {
  const [from, to] = [saidDone(all, group - 1)!.ended, saidDone(all, group)!.began];
  const calls = all.filter((call) => call.began > from && call.ended < to);
  const writes = calls.filter((call) => isWrite(call) && call.paths[0]?.endsWith('.part') === true);
  const last = writes.at(-1);
  if (last === undefined) return ['nothing was appended'];
  const synced = calls.some((call) => isSync(call, last.paths[0]!) && call.began > last.ended);
  return synced ? [] : ['answered before the appended bytes were fsynced'];
}
