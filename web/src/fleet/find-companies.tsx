/** Lets the palette find companies by name, slug or address. Draws nothing. */
import { useNavigate } from '@tanstack/react-router';
import { client } from '../app/session.ts';
import { usePaletteSource } from '../kit/commands.ts';
import { useTexts } from '../kit/texts.ts';
import { fleetTexts } from './texts.ts';

export function FindCompanies() {
  const t = useTexts(fleetTexts);
  const navigate = useNavigate();
  usePaletteSource({
    id: 'companies',
    title: t('nav.companies'),
    find: async (q, signal) => {
      const { items } = await client.fleet.listCompanies({ query: { q, limit: '8' }, signal });
      return items.map(({ id, name, slug }) => ({
        id: `company ${id}`,
        label: name,
        description: slug,
        icon: 'building',
        run: () => void navigate({ to: `/operator/companies/${id}` }),
      }));
    },
  });
  return null;
}
