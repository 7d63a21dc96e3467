/** Rows as answers. */
import type { Basket, Document, DocumentVersion, HistoryEntry, Share } from '../contract.ts';
import type { LoadedBasket } from '../repository/baskets.ts';
import type { DocumentTable, HistoryTable, ShareTable, VersionTable } from '../tables.ts';
import { atLeast } from '../visibility.ts';

export function documentView(row: Omit<DocumentTable, 'version_id'> & { readonly owner_name: string }): Document {
  return {
    id: row.id,
    filename: row.filename,
    mime_type: row.mime_type,
    size_bytes: Number(row.size_bytes),
    sha256: row.sha256,
    version: row.version,
    basket_id: row.basket_id === '' ? null : row.basket_id,
    owner: { id: row.owner_id, full_name: row.owner_name },
    metadata: row.metadata === '{}' ? {} : (JSON.parse(row.metadata) as Record<string, unknown>),
    tags: row.tags === '[]' ? [] : (JSON.parse(row.tags) as string[]),
    created_at: row.created_at,
    updated_at: row.updated_at,
    trashed_at: row.trashed_at,
  };
}

export function versionView(
  row: VersionTable & { readonly created_by_name: string },
  current: number,
): DocumentVersion {
  return {
    id: row.id,
    version: row.number,
    mime_type: row.mime_type,
    size_bytes: Number(row.size_bytes),
    sha256: row.sha256,
    created_at: row.created_at,
    created_by: { id: row.created_by, full_name: row.created_by_name },
    restored_from: row.restored_from,
    current: row.number === current,
  };
}

export function historyView(row: HistoryTable & { readonly actor_name: string | null }): HistoryEntry {
  return {
    id: row.id,
    at: row.at,
    action: row.action,
    actor: { id: row.actor_id, full_name: row.actor_name },
    details: JSON.parse(row.details) as Record<string, unknown>,
  };
}

export function shareView({ grantee, access, shared_by, created_at }: ShareTable): Share {
  return { grantee, access, shared_by, created_at };
}

export function basketView(row: LoadedBasket): Basket {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    owner: { id: row.owner_id, full_name: row.owner_name },
    access: atLeast(row.level, 'manage') ? 'manage' : row.level === 'write' ? 'write' : 'read',
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}
