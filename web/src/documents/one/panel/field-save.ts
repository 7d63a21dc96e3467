/**
 * Saves one field of the document quietly, and never over what somebody else wrote: before it saves it looks at what is
 * there now, and where that is no longer what the edit began with, both stand side by side until the person chooses.
 * What could not be saved stays, also on the way through other pages, and is sent when the server is back.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { ProblemError } from '../../../../../src/client/index.ts';
import type { Document, UpdateDocument } from '../../../../../src/modules/documents/contract.ts';
import { currentReach, onReach } from '../../../app/reach.ts';
import { client, onIdentity } from '../../../app/session.ts';
import { changeDocument, freshDocument, type Loaded, tookChange } from '../queries.ts';

export interface FieldOf<Value> {
  /** As the member of the document is called. */
  readonly name: string;
  readonly read: (document: Document) => Value;
  readonly patch: (value: Value) => UpdateDocument;
}

export interface Conflict<Value> {
  /** Undefined where the field is as it was and the content is another one. */
  readonly theirs: Value | undefined;
  readonly by: string | undefined;
  readonly now: Loaded;
}

export type SaveState = 'idle' | 'unsaved' | 'saving' | 'saved' | 'refused' | 'conflict';

export interface FieldSave<Value> {
  readonly value: Value;
  readonly state: SaveState;
  readonly error: unknown;
  readonly conflict: Conflict<Value> | undefined;
  readonly change: (value: Value) => void;
  /** Saves what was changed; with a value, that one. */
  readonly save: (value?: Value) => Promise<void>;
  /** Forgets what was changed. */
  readonly drop: () => void;
  readonly keepMine: () => Promise<void>;
  readonly takeTheirs: () => void;
}

const same = (left: unknown, right: unknown): boolean => canonical(left) === canonical(right);

/** Objects whose members stand in another order are equal. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}

async function lastActor(id: string): Promise<string | undefined> {
  const history = await client.documents.listHistory({ params: { id }, query: { limit: '1' } }).catch(() => undefined);
  return history?.items[0]?.actor.full_name ?? undefined;
}

interface Draft<Value> {
  readonly value: Value;
  /** What the edit began with. */
  readonly base: Loaded;
}

/** What is typed and not saved, by document and field. It goes with who typed it. */
const unsaved = new Map<string, unknown>();
onIdentity(() => unsaved.clear());
window.addEventListener('beforeunload', (event) => {
  if (unsaved.size > 0) event.preventDefault();
});

/** A draft that outlives the page which it is typed on. */
function useDraft<Value>(key: string) {
  const [draft, setState] = useState(() => unsaved.get(key) as Draft<Value> | undefined);
  // What was typed last, also while a save is on its way.
  const latest = useRef(draft);
  const setDraft = (next: Draft<Value> | undefined) => {
    latest.current = next;
    if (next === undefined) unsaved.delete(key);
    else unsaved.set(key, next);
    setState(next);
  };
  return { draft, latest, setDraft };
}

export function useFieldSave<Value>(loaded: Loaded, field: FieldOf<Value>): FieldSave<Value> {
  const queries = useQueryClient();
  const { draft, latest, setDraft } = useDraft<Value>(`${loaded.document.id} ${field.name}`);
  const [state, setState] = useState<SaveState>(draft === undefined ? 'idle' : 'unsaved');
  const [error, setError] = useState<unknown>();
  const [conflict, setConflict] = useState<Conflict<Value>>();
  const running = useRef(false);
  useFading(state, () => setState('idle'));

  const settle = (saved: Loaded, sent: Value) => {
    const after = latest.current;
    const typedOn = after !== undefined && !same(after.value, sent);
    setDraft(typedOn ? { value: after.value, base: saved } : undefined);
    setConflict(undefined);
    setState(typedOn ? 'unsaved' : 'saved');
    tookChange(queries, saved);
  };

  const send = async ({ value, base }: Draft<Value>) => {
    const { id } = base.document;
    const before = field.read(base.document);
    const now = await freshDocument(id);
    const theirs = field.read(now.document);
    if (same(theirs, value)) return settle(now, value);
    if (!same(theirs, before)) return collide(theirs, now);
    try {
      settle(await changeDocument(id, field.patch(value), base.etag), value);
    } catch (refusal) {
      if (!(refusal instanceof ProblemError && refusal.code === 'etag_mismatch')) throw refusal;
      const newer = await freshDocument(id);
      const others = field.read(newer.document);
      await collide(same(others, before) ? undefined : others, newer);
    }
  };
  const collide = async (theirs: Value | undefined, now: Loaded) => {
    const by = await lastActor(now.document.id);
    setConflict({ theirs, by, now });
    setState('conflict');
  };
  const run = async (what: Draft<Value>) => {
    if (running.current) return;
    running.current = true;
    setState('saving');
    setError(undefined);
    try {
      await send(what);
    } catch (refusal) {
      setError(refusal);
      setState('refused');
    } finally {
      running.current = false;
    }
  };
  useComeback(state === 'refused' && isUnanswered(error), () => {
    if (latest.current !== undefined) void run(latest.current);
  });
  return {
    value: draft === undefined ? field.read(loaded.document) : draft.value,
    state,
    error,
    conflict,
    change: (value) => {
      const base = latest.current?.base ?? loaded;
      const unchanged = same(value, field.read(base.document)) && conflict === undefined;
      setDraft(unchanged ? undefined : { value, base });
      if (conflict === undefined) setState(unchanged ? 'idle' : 'unsaved');
      setError(undefined);
    },
    save: async (value) => {
      if (conflict !== undefined) return;
      if (value !== undefined) setDraft({ value, base: latest.current?.base ?? loaded });
      const what = latest.current;
      if (what === undefined) return;
      if (same(what.value, field.read(what.base.document))) return setDraft(undefined);
      await run(what);
    },
    drop: () => {
      setDraft(undefined);
      setConflict(undefined);
      setError(undefined);
      setState('idle');
    },
    keepMine: async () => {
      const what = latest.current;
      if (what === undefined || conflict === undefined) return;
      const onTop = { value: what.value, base: conflict.now };
      setConflict(undefined);
      setDraft(onTop);
      await run(onTop);
    },
    takeTheirs: () => {
      if (conflict !== undefined) tookChange(queries, conflict.now);
      setDraft(undefined);
      setConflict(undefined);
      setState('idle');
    },
  };
}

/** Nobody read what was sent, or nobody's answer came. */
const isUnanswered = (error: unknown): boolean =>
  error instanceof TypeError || (error instanceof ProblemError && [0, 502, 504].includes(error.status));

/** Runs once the server can be reached again. */
function useComeback(waits: boolean, run: () => void): void {
  const last = useRef(run);
  last.current = run;
  useEffect(() => {
    if (!waits) return;
    return onReach(() => {
      if (currentReach() === 'up') last.current();
    });
  }, [waits]);
}

/** "Saved" is said, and then goes. */
function useFading(state: SaveState, fade: () => void): void {
  const last = useRef(fade);
  last.current = fade;
  useEffect(() => {
    if (state !== 'saved') return;
    const timer = setTimeout(() => last.current(), 4_000);
    return () => clearTimeout(timer);
  }, [state]);
}
