/** Making a basket, or naming and describing one anew. */
import { Stack, Textarea, TextInput } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useQueryClient } from '@tanstack/react-query';
import type { Basket } from '../../../../src/modules/documents/contract.ts';
import { client } from '../../app/session.ts';
import { appTexts } from '../../kit/app-texts.ts';
import { FormFoot, useServerForm } from '../../kit/form.tsx';
import { useTexts } from '../../kit/texts.ts';
import { documentsTexts } from '../texts.ts';
import { basketsKey } from './use-baskets.ts';

const modalId = 'basket';

/** @param basket undefined makes a new one */
export function openBasketForm(title: string, basket: Basket | undefined, onSaved: (id: string) => void): void {
  modals.open({ modalId, title, children: <BasketForm basket={basket} onSaved={onSaved} /> });
}

function BasketForm({ basket, onSaved }: { basket: Basket | undefined; onSaved: (id: string) => void }) {
  const t = useTexts(documentsTexts);
  const app = useTexts(appTexts);
  const queries = useQueryClient();
  const of = useServerForm({
    initialValues: { name: basket?.name ?? '', description: basket?.description ?? '' },
    validate: { name: (name) => (name.trim() === '' ? t('baskets.nameMissing') : null) },
    send: async (body) => {
      const saved =
        basket === undefined
          ? await client.documents.createBasket({ body })
          : await client.documents.updateBasket({ params: { id: basket.id }, body });
      await queries.invalidateQueries({ queryKey: basketsKey });
      modals.close(modalId);
      onSaved(saved.id);
    },
  });
  return (
    <form noValidate onSubmit={of.onSubmit}>
      <Stack gap="md">
        <TextInput
          label={t('baskets.name')}
          required
          data-autofocus
          maxLength={200}
          {...of.form.getInputProps('name')}
        />
        <Textarea
          label={t('baskets.description')}
          autosize
          minRows={2}
          maxLength={2_000}
          {...of.form.getInputProps('description')}
        />
        <FormFoot of={of} label={basket === undefined ? t('baskets.create') : app('app.save')} />
      </Stack>
    </form>
  );
}
