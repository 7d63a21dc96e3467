/** Beside every page of a member: what the palette finds among documents and baskets. */
import { useNavigate } from '@tanstack/react-router';
import { client } from '../app/session.ts';
import { type Command, usePaletteSource } from '../kit/commands.ts';
import { useTexts } from '../kit/texts.ts';
import { typeIcon } from './list/kinds.ts';
import { documentsTexts } from './texts.ts';

const shown = '7';

export function DocumentFinder() {
  const t = useTexts(documentsTexts);
  const navigate = useNavigate();
  const go = (to: string, search: Record<string, string> = {}) =>
    void navigate({ to, search } as unknown as Parameters<typeof navigate>[0]);
  usePaletteSource({
    id: 'documents',
    title: t('nav'),
    async find(typed, signal) {
      const q = typed.slice(0, 200);
      const query = { q, limit: shown, sort: '-updated_at', total: 'true' } as const;
      const { items, total = 0 } = await client.documents.listDocuments({ query, signal });
      const found: Command[] = items.map(({ id, filename, mime_type, owner }) => ({
        id,
        label: filename,
        icon: typeIcon(mime_type),
        description: owner.full_name,
        run: () => go(`/documents/${id}`),
      }));
      if (total <= items.length) return found;
      const all = { id: 'documents all', label: t('palette.all', { count: total }), icon: 'search' } as const;
      return [...found, { ...all, run: () => go('/documents', { q }) }];
    },
  });
  usePaletteSource({
    id: 'baskets',
    title: t('baskets.title'),
    async find(typed, signal) {
      const query = { q: typed.slice(0, 200), limit: shown };
      const { items } = await client.documents.listBaskets({ query, signal });
      return items.map(({ id, name }) => ({
        id,
        label: name,
        icon: 'basket',
        run: () => go('/documents', { basket: id }),
      }));
    },
  });
  return null;
}
