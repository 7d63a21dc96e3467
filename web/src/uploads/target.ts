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

/** A place under the cursor that takes files itself: `data-upload-basket` with the id, `data-upload-name`. */
export function targetUnder(element: EventTarget | null): Target | undefined {
  const place = element instanceof Element ? element.closest<HTMLElement>('[data-upload-basket]') : null;
  const { uploadBasket: basketId, uploadName: basketName } = place?.dataset ?? {};
  return basketId === undefined || basketId === '' ? undefined : { basketId, basketName, allowed: true };
}
