/**
 * Idempotency-Key on routes that create: the first request with a key runs, later ones get its answer. What was asked
 * is told apart by a digest: of params, query and body; for a form with a file, of its fields and the file's bytes,
 * which are known only once they have been read, so that digest is kept with the answer and compared on replay.
 */
import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RouteSpec } from '../kernel/contract.ts';
import { invalid } from '../kernel/errors.ts';
import type { Caller } from '../kernel/handles.ts';
import { bodyDigest, type Idempotency, type StoredAnswer } from '../kernel/idempotency/idempotency.ts';
import type { Logger } from '../kernel/log.ts';
import type { MultipartPart, RequestInfo } from '../kernel/module.ts';
import type { RawAnswer, Rendered } from './answer.ts';

/** A request that carries a key. */
export interface KeyedRequest {
  readonly spec: RouteSpec;
  /** The operation's id in the contract. */
  readonly operation: string;
  readonly caller: Caller;
  readonly key: string;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly info: RequestInfo;
}

export interface FullAnswer {
  readonly answer: RawAnswer;
  readonly rendered: Rendered;
}

/** Runs a handler at most once for a key. */
export type RunOnce = (request: KeyedRequest, run: (info: RequestInfo) => Promise<FullAnswer>) => Promise<FullAnswer>;

/** Where the digest of a form's content is kept beside its answer; never sent. */
const contentHeader = 'strongroom-content-digest';

export function createRunOnce(idempotency: Pick<Idempotency, 'begin'>, log: Logger): RunOnce {
  return async (request, run) => {
    const { spec, caller, info } = request;
    const form = spec.bodyKind === 'multipart';
    const begun = await idempotency.begin(caller.kind === 'member' ? caller.tenant : null, {
      caller: callerName(caller),
      route: request.operation,
      key: request.key,
      bodyDigest: bodyDigest(text(request.params), text(request.query), form ? 'form' : bodyText(request)),
      sealed: spec.creates === 'sealed',
    });
    if (!begun.fresh) return await replay(begun.replay, form ? info : undefined);

    const content = form ? digestingParts(info) : undefined;
    let full: FullAnswer;
    try {
      full = await run(content?.info ?? info);
    } catch (error) {
      await begun.release();
      throw error;
    }
    try {
      await begun.complete(stored(full, content?.digest()));
    } catch (error) {
      // The effect is there and must be acknowledged; only asking again will not find this answer.
      log.warn({ err: error, request_id: info.id }, 'an answer could not be kept for its idempotency key');
    }
    return full;
  };
}

function callerName(caller: Caller): string {
  if (caller.kind === 'member') return caller.user.id;
  return caller.kind === 'operator' ? caller.operator.id : caller.kind;
}

/** What is sent; of a stream, what its headers (tus) announce, since its bytes have not come yet. */
function bodyText({ spec, body, info }: KeyedRequest): string {
  if (spec.bodyKind !== 'stream') return text(body);
  return text([info.header('upload-length'), info.header('upload-metadata')]);
}

function text(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}

function stored({ answer, rendered }: FullAnswer, digest: string | undefined): StoredAnswer {
  const headers: Record<string, string> = { ...answer.headers };
  if (rendered.type !== null) headers['content-type'] = rendered.type;
  if (digest !== undefined) headers[contentHeader] = digest;
  return { status: answer.status, headers, body: typeof rendered.payload === 'string' ? rendered.payload : null };
}

async function replay(kept: StoredAnswer, form: RequestInfo | undefined): Promise<FullAnswer> {
  const { [contentHeader]: digest, 'content-type': type, ...headers } = kept.headers;
  if (form !== undefined && (await digestOfParts(form)) !== digest) {
    throw invalid(
      'This Idempotency-Key was used before with another request.',
      [{ path: 'Idempotency-Key', message: 'was used before with another request' }],
      'idempotency_key_reused',
    );
  }
  return { answer: { status: kept.status, headers }, rendered: { type: type ?? null, payload: kept.body } };
}

/** The same request with parts that are hashed while the handler reads them. */
function digestingParts(info: RequestInfo): { info: RequestInfo; digest(): string } {
  const seen: string[] = [];
  async function* parts(): AsyncGenerator<MultipartPart> {
    for await (const part of info.parts()) {
      if (part.kind === 'field') {
        seen.push('field', part.name, part.value);
        yield part;
        continue;
      }
      const hash = createHash('sha256');
      const tap = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          done(null, chunk);
        },
      });
      // A fault of either side reaches the handler through the tap.
      pipeline(part.stream, tap).catch(() => undefined);
      yield { ...part, stream: tap };
      seen.push('file', part.name, part.filename, hash.digest('hex'));
    }
  }
  const wrapped = Object.create(info, { parts: { value: parts } }) as RequestInfo;
  return { info: wrapped, digest: () => bodyDigest(...seen) };
}

async function digestOfParts(info: RequestInfo): Promise<string> {
  const { info: wrapped, digest } = digestingParts(info);
  for await (const part of wrapped.parts()) {
    if (part.kind === 'file') for await (const _ of part.stream);
  }
  return digest();
}
