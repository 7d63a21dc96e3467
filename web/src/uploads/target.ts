/** Where files go that are dropped, pasted or chosen: the basket that is open, as the address says, or none. */
import { useQuery } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import { client, useSignedIn } from '../app/session.ts';
import type { Target } from './item.ts';

/** The basket that is open: `/documents?basket_id=…` or `/baskets/…`. */
export function basketOf(pathname: string, search: Readonly<Record<string, unknown>>): string | undefined {
  const named = search.basket_id ?? search.basket;
  if (typeof named === 'string' && named !== '') return named;
  return /^\/baskets\/([^/]+)/.exec(pathname)?.[1];
}

export function useUploadTarget(): Target {
  const { user } = useSignedIn();
  const { pathname, search } = useLocation();
  const basketId = basketOf(pathname, search as Record<string, unknown>);
  const basket = useQuery({
    queryKey: ['uploads', 'target', basketId],
    queryFn: async ({ signal }) => await client.documents.getBasket({ params: { id: basketId ?? '' }, signal }),
    enabled: basketId !== undefined,
    staleTime: 60_000,
  });
  if (basketId === undefined) {
    const allowed = user.permissions.includes('UPLOAD_DOCUMENTS');
    return { basketId: undefined, basketName: undefined, allowed };
  }
  // Until it is known, the server decides.
  const allowed = basket.data === undefined || basket.data.access !== 'read';
  return { basketId, basketName: basket.data?.name, allowed };
}

/** A place that takes files itself, as the page says of it; see `web/README.md`. */
export interface Place {
  readonly target: Target;
  readonly element: HTMLElement;
}

/**
 * A basket under the cursor (`data-upload-basket` with its id, `data-upload-refused` where one may only read), else the
 * document that is open (`data-upload-version` with its id, `data-upload-etag`). `data-upload-name` names either.
 */
export function placeUnder(under: EventTarget | null): Place | undefined {
  const basket = under instanceof Element ? under.closest<HTMLElement>('[data-upload-basket]') : null;
  if (basket !== null) {
    const { uploadBasket: basketId, uploadName: basketName, uploadRefused } = basket.dataset;
    return { element: basket, target: { basketId, basketName, allowed: uploadRefused === undefined } };
  }
  const element = document.querySelector<HTMLElement>('[data-upload-version]');
  if (element === null) return undefined;
  const { uploadVersion: documentId = '', uploadName: name = '', uploadEtag: etag } = element.dataset;
  const version = { documentId, name, etag };
  return { element, target: { basketId: undefined, basketName: undefined, allowed: true, version } };
}
