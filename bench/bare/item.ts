/** A row of documents as the bare lists answer it. */
export function itemOf(row: Readonly<Record<string, unknown>>) {
  return {
    id: row.id,
    filename: row.filename,
    mime_type: row.mime_type,
    size_bytes: row.size_bytes,
    sha256: row.sha256,
    version: row.version,
    basket_id: row.basket_id,
    owner: { id: row.owner_id, full_name: row.owner_name },
    metadata: JSON.parse(row.metadata as string),
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}
