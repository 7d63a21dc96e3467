/** A password that is typed: can be shown, and says when it is refused. */
import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import { useTexts } from '../kit/texts.ts';
import { accountsTexts } from './texts.ts';

export function SecretInput(props: PasswordInputProps) {
  const t = useTexts(accountsTexts);
  const refused = props.error !== undefined && props.error !== null && props.error !== false;
  return (
    <PasswordInput
      visibilityToggleButtonProps={{ 'aria-label': t('password.show'), tabIndex: 0 }}
      {...props}
      {...(refused ? { 'aria-invalid': true } : {})}
    />
  );
}
