/** People in the command palette, on every page: found while somebody types, and the invitation dialog. */
import { useNavigate } from '@tanstack/react-router';
import { roleTitle } from '../app/role-title.ts';
import { client } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { useCommands, usePaletteSource } from '../kit/commands.ts';
import { useTexts } from '../kit/texts.ts';
import { openInvite } from './open-invite.tsx';
import { peopleTexts } from './texts.ts';

const atOnce = '6';

export function PeopleBeside() {
  const t = useTexts(peopleTexts);
  const app = useTexts(appTexts);
  const navigate = useNavigate();
  useCommands([{ id: 'people invite', label: t('invite.button'), icon: 'plus', run: openInvite }]);
  usePaletteSource({
    id: 'people',
    title: t('palette.source'),
    async find(q, signal) {
      const { items } = await client.accounts.listUsers({ query: { q, limit: atOnce }, signal });
      return items.map(({ id, full_name: name, email, role }) => ({
        id: `person ${id}`,
        label: name,
        description: `${email} · ${roleTitle(app, role)}`,
        icon: 'person' as const,
        run: () => void navigate({ to: '/people', search: { person: id } }),
      }));
    },
  });
  return null;
}
