/** The person who is signed in: account, theme, help, and the way out. */
import { Avatar, Menu, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { appTexts } from '../kit/app-texts.ts';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { showProblem } from '../kit/toast.tsx';
import { roleTitle } from './role-title.ts';
import { type SignedInSession, signOut } from './session.ts';

export function AccountMenu({ session, onHelp }: { session: SignedInSession; onHelp: () => void }) {
  const t = useTexts(appTexts);
  const { user } = session;
  const name = user.full_name === '' ? user.username : user.full_name;
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton>
          <Avatar
            name={name}
            color="initials"
            allowedInitialsColors={['gray']}
            radius="xl"
            size={34}
            aria-hidden="true"
            data-verbatim
          />
          <VisuallyHidden>{t('app.account', { name })}</VisuallyHidden>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)" truncate component="span" display="block">
            <bdi>{name}</bdi>
          </Text>
          <Text size="xs" c="dimmed" component="span">
            {roleTitle(t, user.role)}
          </Text>
        </Menu.Label>
        <Menu.Item component={Link} to="/account" leftSection={<Icon name="person" size={16} />}>
          {t('app.accountSettings')}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="help" size={16} />} onClick={onHelp}>
          {t('app.help')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="sign-out" size={16} />} onClick={() => void signOut().catch(showProblem)}>
          {t('app.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
