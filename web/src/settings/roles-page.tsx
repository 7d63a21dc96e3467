/** The company's set of roles, and what each may do. It was chosen when the company was made. */
import { Anchor, Badge, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { roleTitle } from '../app/role-title.ts';
import { useSignedIn } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { DataState } from '../kit/data-state.tsx';
import { useTexts } from '../kit/texts.ts';
import { useRoles } from '../people/queries.ts';
import { RoleFacts } from '../people/role-facts.tsx';
import { SettingsFrame } from './settings-frame.tsx';
import { useOwnCompany } from './settings-page.tsx';
import { settingsTexts } from './texts.ts';

export function RolesPage() {
  const t = useTexts(settingsTexts);
  const app = useTexts(appTexts);
  const { user } = useSignedIn();
  const roles = useRoles();
  const company = useOwnCompany();
  return (
    <SettingsFrame tab="roles" narrow>
      <Text size="sm" c="dimmed" mb="md">
        {t('roles.about')}
      </Text>
      {company.data === undefined ? null : (
        <Text size="sm" mb="md">
          {t('roles.preset')}: <b>{t(`roles.${company.data.roles}`)}</b>
        </Text>
      )}
      <DataState
        what={t('tab.roles')}
        loading={roles.isPending}
        error={roles.error}
        onRetry={() => void roles.refetch()}
        count={roles.data?.length ?? 0}
        empty={{ icon: 'people', title: t('tab.roles') }}
      >
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
          {roles.data?.map((role) => (
            <Card key={role.name} component="section" withBorder padding="lg" aria-label={roleTitle(app, role.name)}>
              <Stack gap="sm">
                <Group justify="space-between">
                  <Title order={2} size="h5">
                    {roleTitle(app, role.name)}
                  </Title>
                  <Group gap={6}>
                    {role.name === user.role ? (
                      <Badge variant="light" tt="none" radius="sm">
                        {t('roles.own')}
                      </Badge>
                    ) : null}
                    <Badge variant="default" tt="none" radius="sm">
                      {t('roles.rank', { rank: role.rank })}
                    </Badge>
                  </Group>
                </Group>
                <RoleFacts role={role} />
                <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/people" search={{ role: role.name }} />}>
                  {t('roles.people')}
                </Anchor>
              </Stack>
            </Card>
          ))}
        </SimpleGrid>
      </DataState>
    </SettingsFrame>
  );
}
