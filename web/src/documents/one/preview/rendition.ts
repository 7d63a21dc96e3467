/**
 * What the server has made of one version to be shown: ready, still being made (asked for again, ever more seldom), or
 * not to be had, with the reason. Nothing here ever touches the file itself.
 */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ProblemError } from '../../../../../src/client/index.ts';
import type { Document } from '../../../../../src/modules/documents/contract.ts';
import { client } from '../../../app/session.ts';
import { documentKey } from '../queries.ts';

export interface Ready {
  readonly status: 'ready';
  /** pdf, image, text, mail, docx. */
  readonly kind: string;
  readonly pages: number;
  readonly shownPages: number;
  readonly truncated: boolean;
  readonly content: Blob | string;
}
export type Shown =
  | Ready
  | { readonly status: 'pending'; readonly retryAfter: number }
  | { readonly status: 'unsupported' }
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'lost'; readonly error: ProblemError };

export interface Asked {
  readonly document: Document;
  readonly version: number;
  readonly page?: number;
  readonly part?: 'preview' | 'text';
}

const numberOf = (answer: Response, header: string, otherwise: number): number =>
  Number(answer.headers.get(header) ?? otherwise) || otherwise;

async function readyOf(answer: Response): Promise<Ready> {
  const text = (answer.headers.get('content-type') ?? '').startsWith('text/plain');
  return {
    status: 'ready',
    kind: answer.headers.get('strongroom-kind') ?? 'text',
    pages: numberOf(answer, 'strongroom-pages', 1),
    shownPages: numberOf(answer, 'strongroom-pages-shown', 1),
    truncated: (answer.headers.get('strongroom-truncated') ?? 'false') !== 'false',
    content: text ? await answer.text() : await answer.blob(),
  };
}

async function ask({ document, version, page = 1, part = 'preview' }: Asked, signal: AbortSignal): Promise<Shown> {
  const params = { id: document.id };
  try {
    const answer =
      part === 'text'
        ? await client.open('getText', { params, query: { version: String(version) }, signal })
        : await client.open('previewDocument', {
            params,
            query: { version: String(version), page: String(page) },
            signal,
          });
    if (answer.status !== 202) return await readyOf(answer);
    return { status: 'pending', retryAfter: numberOf(answer, 'retry-after', 2) };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (error.code === 'preview_unsupported') return { status: 'unsupported' };
    if (error.code === 'preview_failed') {
      const { reason } = error.problem as { reason?: unknown };
      return { status: 'failed', reason: typeof reason === 'string' ? reason : 'unreadable' };
    }
    if (error.code === 'object_missing' || error.code === 'object_damaged') return { status: 'lost', error };
    throw error;
  }
}

const longestPause = 15_000;

export function useRendition(asked: Asked, enabled = true) {
  const { document, version, page = 1, part = 'preview' } = asked;
  return useQuery({
    queryKey: [...documentKey(document.id), 'shown', part, version, page],
    queryFn: ({ signal }) => ask(asked, signal),
    enabled,
    staleTime: ({ state }) => (state.data?.status === 'ready' ? Number.POSITIVE_INFINITY : 0),
    // Pictures are large: not kept long after they went out of sight.
    gcTime: 60_000,
    refetchInterval: ({ state }) => {
      if (state.data?.status !== 'pending') return false;
      return Math.min(longestPause, state.data.retryAfter * 1_000 * 1.5 ** Math.max(0, state.dataUpdateCount - 1));
    },
  });
}

/** An address of this tab alone for a picture, while it is drawn. */
export function useObjectUrl(content: Blob | string | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (!(content instanceof Blob)) return;
    const made = URL.createObjectURL(content);
    setUrl(made);
    return () => {
      URL.revokeObjectURL(made);
      setUrl(undefined);
    };
  }, [content]);
  return url;
}
