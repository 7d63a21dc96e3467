/**
 * The durable state of an upload in parts on S3: objects `tmp/<upload>/<number>`, of which the highest number counts.
 *
 * Each holds one line of JSON (the multipart upload, the parts that are in it) and then the bytes behind the last whole
 * part, which are too few for a part of their own. A state is never changed: the next one is written under the next
 * number with a put that refuses to replace, so of two processes one goes on and the other learns that it is late.
 */
import { createHash } from 'node:crypto';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { hasName, storageFailed } from './s3-errors.ts';
import { at, list, type Place, removeMany } from './s3-place.ts';
import { storeWhole } from './s3-whole.ts';

export interface State {
  readonly number: number;
  /** The multipart upload that the parts are in; null as long as all bytes fit into the tail. */
  readonly multipart: string | null;
  /** Bytes of every part. */
  readonly partBytes: number;
  /** The ETag of each part, in order. */
  readonly parts: readonly string[];
  /** Bytes behind the last part. */
  readonly tailBytes: number;
}

/** What stands in a state beside its number and its tail. */
export type Progressed = Omit<State, 'number' | 'tailBytes'>;

export const folderOf = (id: string) => `tmp/${id}/`;
const nameOf = (id: string, number: number) => `${folderOf(id)}${String(number).padStart(8, '0')}`;

export function offsetOf(state: State): number {
  return state.parts.length * state.partBytes + state.tailBytes;
}

/** Numbers of all states that are there, the highest last. */
export async function stateNumbers(place: Place, id: string): Promise<readonly number[]> {
  const numbers: number[] = [];
  for await (const { name } of list(place, folderOf(id))) numbers.push(Number(name.slice(folderOf(id).length)));
  return numbers.filter(Number.isSafeInteger).sort((a, b) => a - b);
}

/** The state of this number with its tail; undefined where it has been replaced meanwhile. */
export async function readState(
  place: Place,
  id: string,
  number: number,
): Promise<{ state: State; tail: Uint8Array } | undefined> {
  let bytes: Uint8Array;
  try {
    const { Body } = await place.client.send(new GetObjectCommand(at(place, nameOf(id, number))));
    bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  } catch (error) {
    if (hasName(error, 'NoSuchKey')) return undefined;
    throw error;
  }
  const line = bytes.indexOf(10);
  if (line === -1) throw storageFailed(new Error('the state of an upload is damaged'));
  const { multipart, partBytes, parts } = JSON.parse(Buffer.from(bytes.subarray(0, line)).toString()) as Progressed;
  const tail = bytes.subarray(line + 1);
  return { state: { number, multipart, partBytes, parts, tailBytes: tail.length }, tail };
}

/**
 * Makes the next state durable.
 * @returns undefined where another process has been faster; its state counts then
 */
export async function writeState(
  place: Place,
  id: string,
  before: State | undefined,
  next: Progressed,
  tail: Uint8Array,
): Promise<State | undefined> {
  const number = (before?.number ?? 0) + 1;
  const { multipart, partBytes, parts } = next;
  const bytes = Buffer.concat([Buffer.from(`${JSON.stringify({ multipart, partBytes, parts })}\n`), tail]);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const whole = { name: nameOf(id, number), bytes, sha256, contested: true };
  if ((await storeWhole(place, whole)) === 'taken') return undefined;
  // A process that was two steps ahead has removed this number before it was written.
  const numbers = await stateNumbers(place, id);
  const late = numbers.at(-1) !== number;
  const old = late ? [number] : numbers.slice(0, -1);
  await removeMany(
    place,
    old.map((each) => nameOf(id, each)),
  );
  return late ? undefined : { number, multipart, partBytes, parts, tailBytes: tail.length };
}

/** Removes every state. */
export async function removeStates(place: Place, id: string): Promise<void> {
  const numbers = await stateNumbers(place, id);
  await removeMany(
    place,
    numbers.map((number) => nameOf(id, number)),
  );
}
