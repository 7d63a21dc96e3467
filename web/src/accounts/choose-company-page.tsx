/** The choice of company, for a person who has several. */
import { Button, Stack } from '@mantine/core';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { enterCompany, useSession } from '../app/session.ts';
import { Icon } from '../kit/icon.tsx';
import { ProblemAlert } from '../kit/problem.tsx';
import { useTexts } from '../kit/texts.ts';
import { CardTitle } from './card-title.tsx';
import { accountsTexts } from './texts.ts';

export function ChooseCompanyPage() {
  const t = useTexts(accountsTexts);
  const router = useRouter();
  const session = useSession();
  const { next } = useSearch({ strict: false }) as { next?: string };
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState<string>();
  if (session.status !== 'signed-in') return null;
  const choose = async (id: string) => {
    setBusy(id);
    setProblem(undefined);
    try {
      if (id !== session.company?.id) await enterCompany({ company_id: id });
      router.history.replace(next ?? '/');
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <>
      <CardTitle title={t('choose.title')} about={t('choose.about')} />
      <Stack gap="sm">
        {session.companies.map(({ id, name }) => (
          <Button
            key={id}
            variant="default"
            size="md"
            justify="flex-start"
            leftSection={<Icon name="building" />}
            loading={busy === id}
            onClick={() => void choose(id)}
          >
            <bdi>{name}</bdi>
          </Button>
        ))}
        <ProblemAlert error={problem} />
      </Stack>
    </>
  );
}
