/** Tables of documents, in each tenant's own database. */

/** One object in the bucket. Equal bytes of one company share it. */
export interface FileTable {
  /** Key of the object: random, never reused. */
  key: string;
  sha256: string;
  size: number;
  /** Number of versions, and of parts of renditions, that use it. */
  refs: number;
  /** Since when nothing uses it; null while something does. The sweep removes row, then object. */
  unreferenced_since: string | null;
}

/** A document with the facts of its current version beside it, so that a list reads one table. */
export interface DocumentTable {
  id: string;
  owner_id: string;
  /** Empty text where it is in no basket: null would not collide in the index that keeps names unique. */
  basket_id: string;
  /** NFC. */
  filename: string;
  version: number;
  version_id: string;
  mime_type: string;
  size_bytes: number;
  sha256: string;
  /** JSON object, and JSON array of texts. */
  metadata: string;
  tags: string;
  created_at: string;
  updated_at: string;
  trashed_at: string | null;
}

export interface VersionTable {
  id: string;
  document_id: string;
  number: number;
  file_key: string;
  mime_type: string;
  size_bytes: number;
  sha256: string;
  created_by: string;
  created_at: string;
  /** The number of the version whose bytes these are, where it was made by restoring. */
  restored_from: number | null;
}

/** What can be filtered by: the top texts, numbers and booleans of the metadata, and the tags. */
export interface MetadataTable {
  document_id: string;
  key: string;
  value: string;
}
export interface TagTable {
  document_id: string;
  tag: string;
}

export type RenditionState = 'pending' | 'done' | 'failed';

/** How far it is with what is made of a version to be shown. Without a row nobody has asked yet, or there is nothing. */
export interface RenditionTable {
  version_id: string;
  document_id: string;
  state: RenditionState;
  /** Why it failed, as a word. */
  reason: string | null;
  pages: number | null;
  /** Of a text. */
  encoding: string | null;
  /** 1 where not all of the text was taken. */
  truncated: number;
  updated_at: string;
}

/** One thing that was made: a thumbnail, a page, a text. Its bytes count for references, and not for the quota. */
export interface RenditionPartTable {
  version_id: string;
  role: 'thumbnail' | 'preview' | 'text';
  /** From 1. */
  page: number;
  document_id: string;
  /** Null: the first `size_bytes` of the version itself, which needed no making. */
  file_key: string | null;
  mime_type: string;
  size_bytes: number;
}

export interface BasketTable {
  id: string;
  owner_id: string;
  name: string;
  description: string;
  created_at: string;
  updated_at: string;
}

export interface ShareTable {
  /** A document or a basket. */
  target_id: string;
  /** Id of a user or name of a role: the two forms cannot be mistaken. */
  grantee: string;
  access: 'read' | 'write';
  shared_by: string;
  created_at: string;
}

export interface HistoryTable {
  id: string;
  document_id: string;
  at: string;
  action: string;
  /** Id of a user, or the kind of another actor. */
  actor_id: string;
  /** JSON. */
  details: string;
}

export type UploadState = 'open' | 'done' | 'failed' | 'expired';

/** A resumable upload. Its bytes are in the bucket's temporary space until it is done. */
export interface UploadTable {
  id: string;
  owner_id: string;
  length: number;
  filename: string;
  declared_type: string;
  basket_id: string;
  on_conflict: string;
  state: UploadState;
  document_id: string | null;
  /** As the client sent it, to be repeated by HEAD. */
  raw_metadata: string;
  created_at: string;
  /** While open: when it is given up. Afterwards: when its row goes. */
  expires_at: string;
}

/** One row: what the company's documents take, and what it refuses. */
export interface DocumentUsageTable {
  id: number;
  /** Logical bytes of all versions, in the trash too. */
  bytes: number;
  /** Bytes promised to unfinished resumable uploads. */
  reserved: number;
  /** JSON array. */
  denied_types: string;
}

declare module '../../kernel/database/tables.ts' {
  interface TenantTables {
    files: FileTable;
    documents: DocumentTable;
    versions: VersionTable;
    document_metadata: MetadataTable;
    document_tags: TagTable;
    baskets: BasketTable;
    shares: ShareTable;
    document_history: HistoryTable;
    uploads: UploadTable;
    document_usage: DocumentUsageTable;
    renditions: RenditionTable;
    rendition_parts: RenditionPartTable;
  }
}

/** What this module tells later ones. Ids only: whoever listens reads what is true by then. */
interface DocumentFact {
  readonly document_id: string;
}
interface VersionFact extends DocumentFact {
  readonly version_id: string;
  readonly version: number;
}

declare module '../../kernel/jobs/jobs.ts' {
  interface JobPayloads {
    'documents.count': Readonly<Record<string, never>>;
    'document.render': { readonly document_id: string; readonly version_id: string };
  }
}

declare module '../../kernel/events.ts' {
  interface EventPayloads {
    'document.created': VersionFact;
    'document.version_added': VersionFact;
    'document.updated': DocumentFact & { readonly fields: readonly string[] };
    'document.trashed': DocumentFact;
    'document.restored': DocumentFact;
    'document.purged': DocumentFact;
    'document.shared': { readonly target_id: string; readonly grantee: string; readonly access: 'read' | 'write' };
    'document.unshared': { readonly target_id: string; readonly grantee: string };
  }
}
