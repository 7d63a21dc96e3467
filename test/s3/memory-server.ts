/**
 * S3 in memory: what the store needs of the protocol, with small pages, so that every list has more than one. It checks
 * no signature and keeps nobody apart; that is what the real gateway is for.
 */
import { createHash, randomBytes } from 'node:crypto';

export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** As it came, for a server that passes it on. */
  readonly url: string;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type S3Backend = (request: S3Request) => Promise<S3Answer>;

interface Stored {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly modified: string;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Multipart {
  readonly key: string;
  readonly id: string;
  readonly begun: string;
  readonly parts: Map<number, Stored>;
}

interface Bucket {
  readonly objects: Map<string, Stored>;
  readonly multiparts: Map<string, Multipart>;
}

/** Entries of a page. */
const page = 7;
const leastPart = 5 * 1024 * 1024;

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const tag = (name: string, text: string | number | boolean) => `<${name}>${escaped(String(text))}</${name}>`;
const digest = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

export function xml(root: string, inner: string): S3Answer {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?><${root}>${inner}</${root}>`);
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

export function refusal(status: number, code: string): S3Answer {
  return { ...xml('Error', tag('Code', code) + tag('Message', code)), status };
}

const empty = (status: number, headers: Record<string, string> = {}): S3Answer => ({
  status,
  headers,
  body: Buffer.alloc(0),
});

export function createMemoryBackend(): S3Backend {
  const buckets = new Map<string, Bucket>();

  return async (request) => {
    const { method, key, query } = request;
    if (request.bucket === '') return listBuckets(buckets, query);
    const bucket = buckets.get(request.bucket);
    if (key === '' && method === 'PUT' && [...query.keys()].every((name) => name === 'x-id')) {
      if (bucket === undefined) buckets.set(request.bucket, { objects: new Map(), multiparts: new Map() });
      return empty(200);
    }
    if (bucket === undefined) return method === 'HEAD' ? empty(404) : refusal(404, 'NoSuchBucket');
    if (key !== '')
      return query.has('uploadId') || query.has('uploads') ? onMultipart(bucket, request) : onObject(bucket, request);
    if (method === 'DELETE') {
      if (bucket.objects.size > 0) return refusal(409, 'BucketNotEmpty');
      buckets.delete(request.bucket);
      return empty(204);
    }
    return onBucket(bucket, request);
  };
}

function listBuckets(buckets: ReadonlyMap<string, Bucket>, query: URLSearchParams): S3Answer {
  const from = query.get('continuation-token') ?? '';
  const prefix = query.get('prefix') ?? '';
  const names = [...buckets.keys()].filter((name) => name.startsWith(prefix) && name > from).sort();
  const shown = names.slice(0, page);
  const next = names.length > page ? tag('ContinuationToken', shown.at(-1)!) : '';
  const list = shown.map((name) => `<Bucket>${tag('Name', name)}</Bucket>`).join('');
  return xml('ListAllMyBucketsResult', `<Buckets>${list}</Buckets>${next}`);
}

function onBucket(bucket: Bucket, { method, query, body }: S3Request): S3Answer {
  if (method === 'HEAD' || method === 'PUT') return empty(200);
  if (method === 'POST' && query.has('delete')) {
    for (const [, key] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)) bucket.objects.delete(key!);
    return xml('DeleteResult', '');
  }
  if (query.has('uploads')) return listMultiparts(bucket, query);
  if (query.has('versions')) return listVersions(bucket, query);
  return listObjects(bucket, query);
}

function entry([key, { bytes, etag, modified }]: readonly [string, Stored]): string {
  return tag('Key', key) + tag('Size', bytes.length) + tag('ETag', etag) + tag('LastModified', modified);
}

function listObjects(bucket: Bucket, query: URLSearchParams): S3Answer {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter');
  const from = query.get('continuation-token') ?? '';
  const found = new Map<string, string>();
  for (const one of [...bucket.objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [key] = one;
    if (!key.startsWith(prefix)) continue;
    const cut = delimiter === null ? -1 : key.indexOf(delimiter, prefix.length);
    const name = cut === -1 ? key : key.slice(0, cut + 1);
    if (name <= from) continue;
    const shown =
      cut === -1 ? `<Contents>${entry(one)}</Contents>` : `<CommonPrefixes>${tag('Prefix', name)}</CommonPrefixes>`;
    found.set(name, shown);
  }
  const names = [...found.keys()].slice(0, page);
  const more = found.size > page;
  const next = more ? tag('NextContinuationToken', names.at(-1)!) : '';
  return xml('ListBucketResult', names.map((name) => found.get(name)).join('') + tag('IsTruncated', more) + next);
}

function listVersions(bucket: Bucket, query: URLSearchParams): S3Answer {
  const prefix = query.get('prefix') ?? '';
  const from = query.get('key-marker') ?? '';
  const all = [...bucket.objects]
    .filter(([key]) => key.startsWith(prefix) && key > from)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = all.slice(0, page);
  const more = all.length > page;
  const next = more ? tag('NextKeyMarker', shown.at(-1)![0]) : '';
  const list = shown.map((one) => `<Version>${entry(one)}${tag('VersionId', 'null')}</Version>`).join('');
  return xml('ListVersionsResult', list + tag('IsTruncated', more) + next);
}

function listMultiparts(bucket: Bucket, query: URLSearchParams): S3Answer {
  const prefix = query.get('prefix') ?? '';
  const from = `${query.get('key-marker') ?? ''} ${query.get('upload-id-marker') ?? ''}`;
  const place = ({ key, id }: Multipart) => `${key} ${id}`;
  const all = [...bucket.multiparts.values()]
    .filter((one) => one.key.startsWith(prefix) && (from === ' ' || place(one) > from))
    .sort((a, b) => (place(a) < place(b) ? -1 : 1));
  const shown = all.slice(0, page);
  const last = shown.at(-1);
  const more = all.length > page;
  const next = more ? tag('NextKeyMarker', last!.key) + tag('NextUploadIdMarker', last!.id) : '';
  const list = shown.map(
    ({ key, id, begun }) => `<Upload>${tag('Key', key)}${tag('UploadId', id)}${tag('Initiated', begun)}</Upload>`,
  );
  return xml('ListMultipartUploadsResult', list.join('') + tag('IsTruncated', more) + next);
}

function storedOf({ headers, body }: S3Request): Stored {
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return {
    bytes: body,
    etag: `"${digest(body)}"`,
    modified: new Date().toISOString(),
    metadata: Object.fromEntries(metadata) as Record<string, string>,
  };
}

function badDigest({ headers, body }: S3Request): boolean {
  const given = headers['content-md5'];
  return given !== undefined && given !== Buffer.from(digest(body), 'hex').toString('base64');
}

function onObject(bucket: Bucket, request: S3Request): S3Answer {
  const { method, key, headers, query } = request;
  const found = bucket.objects.get(key);
  if (method === 'PUT') {
    if (badDigest(request)) return refusal(400, 'BadDigest');
    if (headers['if-none-match'] === '*' && found !== undefined) return refusal(412, 'PreconditionFailed');
    const stored = storedOf(request);
    bucket.objects.set(key, stored);
    return empty(200, { etag: stored.etag });
  }
  if (method === 'DELETE') {
    bucket.objects.delete(key);
    return empty(204);
  }
  if (found === undefined) return method === 'HEAD' ? empty(404) : refusal(404, 'NoSuchKey');
  const shown: Record<string, string> = { etag: found.etag, ...found.metadata };
  if (method === 'HEAD') return empty(200, { ...shown, 'content-length': String(found.bytes.length) });
  if (isOver(query)) return refusal(403, 'AccessDenied');
  for (const name of ['content-disposition', 'content-type', 'cache-control']) {
    const asked = query.get(`response-${name}`);
    if (asked !== null) shown[name] = asked;
  }
  return read(found, headers.range, shown);
}

/** Whether the life of a signed address has ended; the signature itself is not looked at. */
function isOver(query: URLSearchParams): boolean {
  const made = query.get('X-Amz-Date');
  if (made === null) return false;
  const at = Date.parse(made.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
  return Date.now() > at + Number(query.get('X-Amz-Expires')) * 1_000;
}

function read({ bytes }: Stored, range: string | undefined, headers: Record<string, string>): S3Answer {
  const asked = /^bytes=(\d+)-(\d+)$/.exec(range ?? '');
  if (asked === null) return { status: 200, headers, body: bytes };
  const [start, end] = [Number(asked[1]), Math.min(Number(asked[2]), bytes.length - 1)];
  if (start >= bytes.length) return refusal(416, 'InvalidRange');
  const contentRange = `bytes ${start}-${end}/${bytes.length}`;
  return { status: 206, headers: { ...headers, 'content-range': contentRange }, body: bytes.subarray(start, end + 1) };
}

function onMultipart(bucket: Bucket, request: S3Request): S3Answer {
  const { method, key, query, body } = request;
  const id = query.get('uploadId');
  if (id === null) {
    const begun: Multipart = {
      key,
      id: randomBytes(16).toString('hex'),
      begun: new Date().toISOString(),
      parts: new Map(),
    };
    bucket.multiparts.set(begun.id, begun);
    return xml('InitiateMultipartUploadResult', tag('UploadId', begun.id));
  }
  const multipart = bucket.multiparts.get(id);
  if (multipart === undefined || multipart.key !== key) return refusal(404, 'NoSuchUpload');
  if (method === 'PUT') {
    if (badDigest(request)) return refusal(400, 'BadDigest');
    const part = storedOf(request);
    multipart.parts.set(Number(query.get('partNumber')), part);
    return empty(200, { etag: part.etag });
  }
  if (method === 'DELETE') {
    bucket.multiparts.delete(id);
    return empty(204);
  }
  if (method === 'GET') return listParts(multipart, Number(query.get('part-number-marker') ?? 0));
  return complete(bucket, multipart, body.toString());
}

function listParts({ parts }: Multipart, from: number): S3Answer {
  const all = [...parts].filter(([number]) => number > from).sort(([a], [b]) => a - b);
  const shown = all.slice(0, page);
  const list = shown.map(
    ([number, { etag, modified }]) =>
      `<Part>${tag('PartNumber', number)}${tag('ETag', etag)}${tag('LastModified', modified)}</Part>`,
  );
  const next = tag('IsTruncated', all.length > page) + tag('NextPartNumberMarker', shown.at(-1)?.[0] ?? 0);
  return xml('ListPartsResult', list.join('') + next);
}

function complete(bucket: Bucket, { key, id, parts }: Multipart, body: string): S3Answer {
  const asked = [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, inner = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(inner)?.[1]),
    etag: /<ETag>([^<]*)</.exec(inner)?.[1]?.replaceAll('&quot;', '"'),
  }));
  const chosen: Stored[] = [];
  for (const { number, etag } of asked) {
    const part = parts.get(number);
    if (part === undefined || part.etag !== etag) return refusal(400, 'InvalidPart');
    chosen.push(part);
  }
  if (chosen.slice(0, -1).some(({ bytes }) => bytes.length < leastPart)) return refusal(400, 'EntityTooSmall');
  const bytes = Buffer.concat(chosen.map((part) => part.bytes));
  const etag = `"${digest(bytes)}-${chosen.length}"`;
  bucket.objects.set(key, { bytes, etag, modified: new Date().toISOString(), metadata: {} });
  bucket.multiparts.delete(id);
  return xml('CompleteMultipartUploadResult', tag('Key', key) + tag('ETag', etag));
}
