/**
 * Forms whose refusals come from the server: each field error stands beside its field, what belongs to none stands
 * above the button, and nothing that was typed is lost.
 */
import { Button, Group } from '@mantine/core';
import { type UseFormInput, type UseFormReturnType, useForm } from '@mantine/form';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { ProblemError } from '../../../src/client/index.ts';
import { ProblemAlert } from './problem.tsx';

type FormValues = Record<string, unknown>;

export interface ServerForm<Values extends FormValues> {
  readonly form: UseFormReturnType<Values>;
  /** For `<form onSubmit>`. */
  readonly onSubmit: (event?: FormEvent<HTMLFormElement>) => void;
  readonly busy: boolean;
  /** What belongs to no field. */
  readonly problem: unknown;
  readonly setProblem: (error: unknown) => void;
}

export interface ServerFormOptions<Values extends FormValues> extends UseFormInput<Values> {
  /** Sends the values. Whatever it throws is shown. */
  readonly send: (values: Values) => Promise<unknown>;
  /** Names of fields in the server's refusals that differ from those of the form: `{ full_name: 'name' }`. */
  readonly paths?: Readonly<Record<string, string>>;
}

export function useServerForm<Values extends FormValues>(options: ServerFormOptions<Values>): ServerForm<Values> {
  const { send, paths = {}, ...rest } = options;
  const form = useForm<Values>({ mode: 'controlled', clearInputErrorOnChange: true, ...rest });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const running = useRef(false);
  const onSubmit = form.onSubmit(
    async (values) => {
      if (running.current) return;
      running.current = true;
      setBusy(true);
      setProblem(undefined);
      try {
        await send(values);
      } catch (error) {
        setProblem(takeFieldErrors(form, error, paths) ? undefined : error);
      } finally {
        running.current = false;
        setBusy(false);
      }
    },
    (errors) => focusFirst(form, Object.keys(errors)),
  );
  return { form, onSubmit, busy, problem, setProblem };
}

/** Puts the field errors of a refusal beside their fields. @returns whether every one found its place */
function takeFieldErrors<Values extends FormValues>(
  form: UseFormReturnType<Values>,
  error: unknown,
  paths: Readonly<Record<string, string>>,
): boolean {
  if (!(error instanceof ProblemError)) return false;
  const errors = error.problem.errors ?? [];
  const values = form.getValues();
  const placed = errors
    .map(({ path, message }) => ({ path: paths[path] ?? path, message }))
    .filter(({ path }) => path.split('.')[0]! in values);
  if (placed.length === 0) return false;
  const together: Record<string, string> = {};
  for (const { path, message } of placed) together[path] = path in together ? `${together[path]} ${message}` : message;
  form.setErrors(together);
  focusFirst(form, Object.keys(together));
  return placed.length === errors.length;
}

function focusFirst<Values extends FormValues>(form: UseFormReturnType<Values>, names: readonly string[]): void {
  const first = names[0];
  // After the error is drawn, so that it is read with the field.
  if (first === undefined) return;
  // An entry of a list has no field of its own: the list's has it.
  setTimeout(() => (form.getInputNode(first) ?? form.getInputNode(first.split('.')[0]!))?.focus(), 0);
}

/** The foot of a form: what was refused as a whole, and the button. */
export function FormFoot<Values extends FormValues>({
  of,
  label,
  full = false,
  children,
}: {
  of: ServerForm<Values>;
  label: string;
  full?: boolean;
  children?: ReactNode;
}) {
  return (
    <>
      <ProblemAlert error={of.problem} />
      <Group justify={full ? 'stretch' : 'flex-start'}>
        <Button type="submit" loading={of.busy} fullWidth={full}>
          {label}
        </Button>
        {children}
      </Group>
    </>
  );
}
