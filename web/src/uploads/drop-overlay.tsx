/**
 * Files that are dropped anywhere in the window, or pasted. While they are dragged over it, the whole window says where
 * they would go. Drags of texts and links are left alone.
 */
import { Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import classes from './drop-overlay.module.css';
import { carriesFiles, filesOfDrop, filesOfPaste } from './gather.ts';
import type { Target } from './item.ts';
import { addFiles } from './queue.ts';
import { targetUnder, useUploadTarget } from './target.ts';
import { uploadsTexts } from './texts.ts';

const dialogOpen = (): boolean => document.querySelector('[aria-modal="true"]') !== null;

/** Somebody pastes into a field, which takes texts. */
const intoField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA'].includes(target.tagName));

export function DropOverlay() {
  const open = useUploadTarget();
  const [over, setOver] = useState<Target>();
  const latest = useRef(open);
  latest.current = open;
  useEffect(() => listen(() => latest.current, setOver), []);
  return over === undefined ? null : <Overlay target={over} />;
}

/** Gives back how to stop listening. */
function listen(open: () => Target, setOver: (target: Target | undefined) => void): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  // A drag that leaves without a word (Escape, another window) is noticed by its silence.
  let silence: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    clearTimeout(silence);
    setOver(undefined);
  };
  const drag = (event: DragEvent) => {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    const target = targetUnder(event.target) ?? open();
    const takes = target.allowed && !dialogOpen();
    event.dataTransfer.dropEffect = takes ? 'copy' : 'none';
    if (dialogOpen()) return;
    setOver(target);
    clearTimeout(silence);
    silence = setTimeout(end, 1_500);
  };
  const drop = (event: DragEvent) => {
    if (!carriesFiles(event.dataTransfer)) return;
    // Else the browser would leave the app to show the file.
    event.preventDefault();
    end();
    if (dialogOpen()) return;
    const target = targetUnder(event.target) ?? open();
    void filesOfDrop(event.dataTransfer).then((files) => addFiles(files, target));
  };
  const paste = (event: ClipboardEvent) => {
    const files = filesOfPaste(event.clipboardData);
    if (files.length === 0 || dialogOpen() || intoField(event.target)) return;
    event.preventDefault();
    void addFiles(files, open());
  };
  const leave = (event: DragEvent) => {
    if (event.relatedTarget === null) end();
  };
  window.addEventListener('dragenter', drag, { signal });
  window.addEventListener('dragover', drag, { signal });
  window.addEventListener('dragleave', leave, { signal });
  window.addEventListener('dragend', end, { signal });
  window.addEventListener('drop', drop, { signal });
  window.addEventListener('paste', paste, { signal });
  return () => {
    stop.abort();
    clearTimeout(silence);
  };
}

function Overlay({ target }: { target: Target }) {
  const t = useTexts(uploadsTexts);
  const { allowed, basketId, basketName } = target;
  const title = !allowed
    ? t('drop.refused')
    : basketId === undefined
      ? t('drop.own')
      : basketName === undefined
        ? t('drop.unnamed')
        : t('drop.basket', { basket: `\u2068${basketName}\u2069` });
  const hint = !allowed ? t('drop.refusedHint') : basketId === undefined ? t('drop.ownHint') : undefined;
  return (
    <div className={classes.overlay} data-refused={!allowed || undefined} data-testid="drop-overlay">
      <div className={classes.frame}>
        <Icon name={allowed ? 'upload' : 'alert'} size={48} />
        <Text size="xl" fw={650} ta="center">
          {title}
        </Text>
        {hint === undefined ? null : <Text ta="center">{hint}</Text>}
      </div>
    </div>
  );
}
