/**
 * The page's keys. Those with arrows stay with the text while somebody writes, and Esc closes what is open before it
 * leaves the page.
 */
import { useEffect, useRef, useState } from 'react';
import { useShortcut } from '../../kit/shortcuts.ts';

const isWriting = (): boolean => {
  const at = document.activeElement;
  return at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
};

function useWriting(): boolean {
  const [writing, setWriting] = useState(isWriting);
  useEffect(() => {
    const look = () => setTimeout(() => setWriting(isWriting()), 0);
    document.addEventListener('focusin', look);
    document.addEventListener('focusout', look);
    return () => {
      document.removeEventListener('focusin', look);
      document.removeEventListener('focusout', look);
    };
  }, []);
  return writing;
}

/** Whether a menu, list or dialog was open when the key went down: by the time shortcuts run it has closed itself. */
function useWasOpen(): { readonly current: boolean } {
  const open = useRef(false);
  useEffect(() => {
    const look = () => {
      const layers = document.querySelectorAll('[role="menu"], [role="dialog"], [role="listbox"]');
      // Lists of choices stay in the page while they are closed.
      open.current = [...layers].some((layer) => layer.checkVisibility());
    };
    window.addEventListener('keydown', look, true);
    return () => window.removeEventListener('keydown', look, true);
  }, []);
  return open;
}

export interface DocumentKeys {
  readonly labels: { readonly previous: string; readonly next: string; readonly back: string; readonly save: string };
  readonly previous: (() => void) | undefined;
  readonly next: (() => void) | undefined;
  readonly back: () => void;
  readonly save: () => void;
}

export function useDocumentKeys({ labels, previous, next, back, save }: DocumentKeys): void {
  const writing = useWriting();
  const wasOpen = useWasOpen();
  const arrow = (keys: string, label: string, run: (() => void) | undefined) =>
    writing || run === undefined ? undefined : ({ keys, label, scope: 'page', run } as const);
  useShortcut(arrow('ctrl+arrowleft', labels.previous, previous));
  useShortcut(arrow('ctrl+arrowright', labels.next, next));
  useShortcut({ keys: 'mod+s', label: labels.save, scope: 'page', run: save });
  useShortcut({
    keys: 'escape',
    label: labels.back,
    scope: 'page',
    run: () => {
      if (!wasOpen.current) back();
    },
  });
}
