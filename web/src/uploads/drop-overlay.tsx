/**
 * Files that are dropped anywhere in the window, or pasted. While they are dragged over it, the whole window says where
 * they would go. Drags of texts and links are left alone.
 */
import { Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import classes from './drop-overlay.module.css';
import { carriesFiles, filesIn, filesOfDrop, filesOfPaste } from './gather.ts';
import type { Target } from './item.ts';
import { addFiles } from './queue.ts';
import { placeUnder, useUploadTarget } from './target.ts';
import { uploadsTexts } from './texts.ts';

/** What is dragged over the window, and whether what lies below takes it. */
interface Over {
  readonly target: Target;
  readonly files: number;
}

const dialogOpen = (): boolean => document.querySelector('[aria-modal="true"]') !== null;

/** Somebody pastes into a field, which takes texts. */
const intoField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA'].includes(target.tagName));

export function DropOverlay() {
  const open = useUploadTarget();
  const [over, setOver] = useState<Over>();
  const latest = useRef(open);
  latest.current = open;
  useEffect(() => listen(() => latest.current, setOver), []);
  return over === undefined ? null : <Overlay {...over} />;
}

/** Gives back how to stop listening. */
function listen(open: () => Target, setOver: (over: Over | undefined) => void): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  // A drag that leaves without a word (Escape, another window) is noticed by its silence.
  let silence: ReturnType<typeof setTimeout> | undefined;
  let marked: HTMLElement | undefined;
  const mark = (place: HTMLElement | undefined) => {
    if (marked !== place) delete marked?.dataset.uploadOver;
    if (place !== undefined) place.dataset.uploadOver = '';
    marked = place;
  };
  const end = () => {
    clearTimeout(silence);
    mark(undefined);
    setOver(undefined);
  };
  const drag = (event: DragEvent) => {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    const place = placeUnder(event.target);
    const over = { target: place?.target ?? open(), files: filesIn(event.dataTransfer) };
    event.dataTransfer.dropEffect = takes(over) && !dialogOpen() ? 'copy' : 'none';
    if (dialogOpen()) return;
    mark(over.target.basketId === undefined ? undefined : place?.element);
    setOver(over);
    clearTimeout(silence);
    silence = setTimeout(end, 1_500);
  };
  const drop = (event: DragEvent) => {
    if (!carriesFiles(event.dataTransfer)) return;
    // Else the browser would leave the app to show the file.
    event.preventDefault();
    end();
    if (dialogOpen()) return;
    const target = placeUnder(event.target)?.target ?? open();
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
    end();
  };
}

const takes = ({ target, files }: Over): boolean => target.allowed && (target.version === undefined || files < 2);

function useWords({ target, files }: Over): { title: string; hint?: string } {
  const t = useTexts(uploadsTexts);
  const { allowed, basketId, basketName, version } = target;
  const isolated = (name: string) => `\u2068${name}\u2069`;
  if (!allowed) return { title: t('drop.refused'), hint: t('drop.refusedHint') };
  if (version !== undefined) {
    const document = isolated(version.name);
    if (files > 1) return { title: t('drop.oneVersion', { document }), hint: t('drop.oneVersionHint') };
    return { title: t('drop.version', { document }), hint: t('drop.versionHint') };
  }
  if (basketId === undefined) return { title: t('drop.own'), hint: t('drop.ownHint') };
  return { title: basketName === undefined ? t('drop.unnamed') : t('drop.basket', { basket: isolated(basketName) }) };
}

function Overlay(over: Over) {
  const { title, hint } = useWords(over);
  const taken = takes(over);
  return (
    <div className={classes.overlay} data-refused={!taken || undefined} data-testid="drop-overlay">
      <div className={classes.frame}>
        <div className={classes.words} role="status">
          <Icon name={taken ? 'upload' : 'alert'} size={40} />
          <Text size="xl" fw={650} ta="center" lineClamp={3}>
            {title}
          </Text>
          {hint === undefined ? null : <Text ta="center">{hint}</Text>}
        </div>
      </div>
    </div>
  );
}
