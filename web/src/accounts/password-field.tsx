/** A new password: typed once, shown on demand, with its strength and the reason for it. */
import { Group, type PasswordInputProps, Progress, Stack, Text } from '@mantine/core';
import { useTexts } from '../kit/texts.ts';
import { strengthOf } from './password-strength.ts';
import { SecretInput } from './secret-input.tsx';
import { accountsTexts } from './texts.ts';

const colors = { weak: 'red', fair: 'yellow', good: 'teal', strong: 'teal' } as const;

export interface PasswordFieldProps extends Omit<PasswordInputProps, 'value'> {
  readonly value: string;
  /** The person's own words, which make a password weak. */
  readonly words?: readonly string[];
}

export function PasswordField({ words = [], value, ...rest }: PasswordFieldProps) {
  const t = useTexts(accountsTexts);
  const { level, score, reason, missing } = strengthOf(value, words);
  const said = reason === undefined ? '' : t(`password.${reason}`, { count: missing });
  return (
    <Stack gap={6}>
      <SecretInput autoComplete="new-password" required withAsterisk={false} value={value} {...rest} />
      <div>
        {value === '' ? (
          <Text size="xs" c="dimmed">
            {t('password.hint')}
          </Text>
        ) : (
          <Stack gap={4}>
            <Group gap={4} grow aria-hidden="true">
              {[1, 2, 3, 4].map((step) => (
                <Progress key={step} size={4} value={score >= step ? 100 : 0} color={colors[level]} />
              ))}
            </Group>
            <Text size="xs" c="dimmed" role="status">
              {t('password.strength', { level: t(`password.${level}`) })}
              {said === '' ? '' : `. ${said}`}
            </Text>
          </Stack>
        )}
      </div>
    </Stack>
  );
}
