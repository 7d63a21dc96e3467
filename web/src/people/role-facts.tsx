/** What a role may do, in words. */
import { List } from '@mantine/core';
import { roleTitle } from '../app/role-title.ts';
import { appTexts } from '../kit/app-texts.ts';
import { useTexts } from '../kit/texts.ts';
import type { RoleAnswer } from './queries.ts';
import { peopleTexts } from './texts.ts';

export function RoleFacts({ role }: { role: Pick<RoleAnswer, 'permissions' | 'grants'> }) {
  const t = useTexts(peopleTexts);
  const app = useTexts(appTexts);
  const grants = role.grants.map((name) => roleTitle(app, name)).join(', ');
  return (
    <List size="sm" spacing={4} withPadding={false}>
      {role.permissions.map((permission) => (
        <List.Item key={permission}>{t(`may.${permission}`)}</List.Item>
      ))}
      {role.permissions.includes('UPLOAD_DOCUMENTS') ? null : <List.Item>{t('may.uploadShared')}</List.Item>}
      <List.Item>{grants === '' ? t('may.givesNone') : t('may.gives', { roles: grants })}</List.Item>
    </List>
  );
}
