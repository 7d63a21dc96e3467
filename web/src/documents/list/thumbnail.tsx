/** The small picture of a document where there is one; its icon until then, and for what has none. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ProblemError } from '../../../../src/client/index.ts';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { client } from '../../app/session.ts';
import { Icon } from '../../kit/icon.tsx';
import { typeIcon } from './kinds.ts';

const hasPicture = (type: string): boolean => type === 'application/pdf' || type.startsWith('image/');
const pendingMs = 3_000;
const patience = 10;

/** The picture, null where there will be none, `pending` while it is being made. */
async function fetchThumbnail(id: string, signal: AbortSignal): Promise<Blob | 'pending' | null> {
  try {
    const answer = await client.open('getThumbnail', { params: { id }, signal });
    return answer.status === 202 ? 'pending' : await answer.blob();
  } catch (error) {
    if (error instanceof ProblemError && error.status < 500) return null;
    throw error;
  }
}

export function Thumbnail({ of: { id, version, mime_type } }: { of: Document }) {
  const { data } = useQuery({
    queryKey: ['document-thumbnail', id, version],
    queryFn: ({ signal }) => fetchThumbnail(id, signal),
    enabled: hasPicture(mime_type),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    refetchInterval: ({ state }) => (state.data === 'pending' && state.dataUpdateCount < patience ? pendingMs : false),
  });
  const picture = data instanceof Blob ? data : undefined;
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (picture === undefined) return;
    const url = URL.createObjectURL(picture);
    setAddress(url);
    return () => URL.revokeObjectURL(url);
  }, [picture]);
  // The name stands below: the picture itself says nothing more.
  return picture === undefined || address === undefined ? (
    <Icon name={typeIcon(mime_type)} size={40} />
  ) : (
    <img src={address} alt="" decoding="async" />
  );
}
