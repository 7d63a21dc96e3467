/** Asks the company's database whether it answers and is its own. Only when somebody wants to know. */
import { Alert, Button, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { Company, DatabaseTest } from '../../../src/modules/fleet/contract.ts';
import { client } from '../app/session.ts';
import { FactList } from '../kit/fact-list.tsx';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { ProblemAlert } from '../kit/problem.tsx';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { fleetTexts } from './texts.ts';

export function DatabaseTestSection({ company }: { company: Company }) {
  const t = useTexts(fleetTexts);
  const test = useMutation({
    mutationFn: () => client.fleet.testCompanyDatabase({ params: { id: company.id } }),
  });
  return (
    <Section
      title={t('test.title')}
      about={t('test.about')}
      actions={
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate()}>
          {t('test.run')}
        </Button>
      }
    >
      <div aria-live="polite">
        <ProblemAlert error={test.error} />
        {test.data === undefined ? null : <Result result={test.data} />}
      </div>
    </Section>
  );
}

function Result({ result }: { result: DatabaseTest }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const { ok, latency_ms: latency, identity, schema_version: schema, reason } = result;
  return (
    <Stack gap="md">
      <Alert
        color={ok ? 'teal' : 'red'}
        variant="light"
        icon={<Icon name={ok ? 'check' : 'alert'} />}
        title={t(ok ? 'test.ok' : 'test.failed')}
      >
        {reason}
      </Alert>
      <FactList
        columns={{ base: 2, md: 3 }}
        facts={[
          [t('test.latency'), t('journal.ms', { ms: Math.round(latency) })],
          [t('test.identity'), t(`identity.${identity}`)],
          [t('company.schema'), formats.number(schema)],
        ]}
      />
    </Stack>
  );
}
