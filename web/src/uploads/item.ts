/** An upload as people see it: one file on its way into the company. */

/**
 * queued → sending → processing → done; waiting, paused and conflict go back to queued; missing until the file is given
 * again; refused, failed and skipped are ends that a person reads.
 */
export type Phase =
  | 'queued'
  | 'sending'
  | 'waiting'
  | 'paused'
  | 'missing'
  | 'conflict'
  | 'processing'
  | 'done'
  | 'refused'
  | 'failed'
  | 'skipped';

/** A document that gets a file as its newest version. */
export interface VersionOf {
  readonly documentId: string;
  readonly name: string;
  /** The content that was in sight: where it is another one by now, the person decides. Undefined: whatever is there. */
  readonly etag: string | undefined;
}

/** Where documents go. */
export interface Target {
  /** Undefined: no basket, the person's own documents. */
  readonly basketId: string | undefined;
  readonly basketName: string | undefined;
  /** False where this person may not upload there. */
  readonly allowed: boolean;
  /** One file becomes a version of this document. */
  readonly version?: VersionOf | undefined;
}

/** Why something does not go: each code has a sentence of its own. */
export type RefusalCode =
  | 'too_large'
  | 'quota'
  | 'type'
  | 'name_empty'
  | 'name_long'
  | 'name'
  | 'not_allowed'
  | 'basket_gone'
  | 'one_version'
  | 'overtaken'
  | 'document_gone'
  | 'other_file'
  | 'server';

export interface Refusal {
  readonly code: RefusalCode;
  /** Bytes, where a limit is known. */
  readonly limit?: number;
  /** What the server said, with its request id. */
  readonly error?: unknown;
}

export interface UploadItem {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  /** Of the file on the person's disk, in milliseconds. */
  readonly modified: number;
  readonly type: string;
  readonly basketId: string | undefined;
  readonly basketName: string | undefined;
  /** Sent as a version of a document that is there: in one request, begun anew where it breaks. */
  readonly version: VersionOf | undefined;
  readonly phase: Phase;
  readonly sent: number;
  /** Bytes a second; undefined until it is known. */
  readonly speed: number | undefined;
  /** Nothing has moved for a while. */
  readonly stalled: boolean;
  readonly uploadId: string | undefined;
  readonly documentId: string | undefined;
  readonly onConflict: 'version' | 'rename' | undefined;
  /** In a conflict: another upload that is not finished holds the name, not a document. */
  readonly heldByUpload: boolean;
  readonly refusal: Refusal | undefined;
  /** What became of the preview. */
  readonly preview: 'ready' | 'none' | 'failed' | 'later' | undefined;
  /** The browser keeps the file: a reload goes on by itself. */
  readonly kept: boolean;
}

/** Bytes are on their way, or will be without anybody doing anything. */
export const isActive = ({ phase }: UploadItem): boolean =>
  phase === 'queued' || phase === 'sending' || phase === 'waiting';
/** The company has not got the bytes yet, and still may. */
export const isUnfinished = (item: UploadItem): boolean =>
  isActive(item) || item.phase === 'paused' || item.phase === 'missing' || item.phase === 'conflict';
export const isFailed = ({ phase }: UploadItem): boolean => phase === 'refused' || phase === 'failed';
/** Whether this is the file that the upload was begun with, as far as a browser can tell without reading it. */
export const isSameFile = (item: UploadItem, file: File): boolean =>
  file.name === item.name && file.size === item.size && file.lastModified === item.modified;
