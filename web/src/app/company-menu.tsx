/** The company's name, always in sight; and where a person has several, the way into another one. */
import { Group, Menu, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { appTexts } from '../kit/app-texts.ts';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { showProblem } from '../kit/toast.tsx';
import { openModal } from './modals.ts';
import { enterCompany, type SignedInSession } from './session.ts';

export function CompanyMenu({ session }: { session: SignedInSession }) {
  const t = useTexts(appTexts);
  const navigate = useNavigate();
  const { company, companies } = session;
  if (company === null) return null;
  const change = async (id: string) => {
    try {
      await enterCompany({ company_id: id });
      await navigate({ to: '/' });
    } catch (error) {
      showProblem(error);
    }
  };
  return (
    <Menu position="bottom-start" width={280}>
      <Menu.Target>
        <UnstyledButton py={4} miw={0}>
          <Group gap={6} wrap="nowrap" miw={0}>
            <Text fw={650} truncate maw={320}>
              <bdi>{company.name}</bdi>
            </Text>
            <VisuallyHidden>{t('app.switchCompany')}</VisuallyHidden>
            <Icon name="chevron" size={16} />
          </Group>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('app.switchCompany')}</Menu.Label>
        {companies.map((one) => (
          <Menu.Item
            key={one.id}
            leftSection={<Icon name="building" size={16} />}
            rightSection={one.id === company.id ? <Icon name="check" size={16} /> : null}
            aria-current={one.id === company.id ? 'true' : undefined}
            onClick={() => (one.id === company.id ? undefined : void change(one.id))}
          >
            <bdi>{one.name}</bdi>
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<Icon name="switch" size={16} />}
          onClick={() => openModal.otherCompany(t('app.switchCompany'))}
        >
          {t('app.otherCompany')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
