/** What is said of an upload: its state, its speed, why it does not go. */

import type { Formats } from '../kit/formats.ts';
import { tell } from '../kit/problem.tsx';
import type { Translate } from '../kit/texts.ts';
import type { UploadItem } from './item.ts';
import type { uploadsTexts } from './texts.ts';

export type Words = Translate<keyof (typeof uploadsTexts)['en'] & string>;
export interface Fallbacks {
  readonly network: string;
  readonly unexpected: string;
}

const doneWords = { ready: 'phase.done', none: 'phase.doneNone', failed: 'phase.doneFailed', later: 'phase.doneLater' };

export const shareOf = ({ sent, size }: Pick<UploadItem, 'sent' | 'size'>): number =>
  size === 0 ? 1 : Math.min(1, sent / size);

/** Never 100 % before the last byte has left. */
export const percentOf = (item: UploadItem, formats: Formats): string =>
  formats.percent(Math.floor(shareOf(item) * 100) / 100);

export function refusalText(item: UploadItem, t: Words, formats: Formats, fallbacks: Fallbacks): string | undefined {
  const { refusal } = item;
  if (refusal === undefined) return undefined;
  if (refusal.code === 'server') return tell(refusal.error, fallbacks).message;
  const size = formats.size(item.size);
  if (refusal.code === 'too_large' && refusal.limit !== undefined) {
    return t('refused.too_large.limit', { size, limit: formats.size(refusal.limit) });
  }
  return t(`refused.${refusal.code}`, { size });
}

export function stateText(item: UploadItem, t: Words, formats: Formats, offline: boolean): string {
  const percent = percentOf(item, formats);
  switch (item.phase) {
    case 'sending':
      if (item.stalled) return t('phase.stalled');
      return item.sent >= item.size ? t('phase.finishing') : t('phase.sending', { percent });
    case 'waiting':
      return t(offline ? 'phase.offline' : 'phase.waiting');
    case 'paused':
    case 'missing':
      return t(`phase.${item.phase}`, { percent });
    case 'done':
      return t(doneWords[item.preview ?? 'ready'] as 'phase.done');
    case 'refused':
    case 'failed':
      return '';
    default:
      return t(`phase.${item.phase}`);
  }
}

/** Speed and time left; empty while they are not known. */
export function paceText(item: UploadItem, t: Words, formats: Formats): string {
  if (item.phase !== 'sending' || item.speed === undefined || item.stalled) return '';
  const seconds = Math.max(1, Math.ceil((item.size - item.sent) / item.speed));
  const speed = t('row.speed', { speed: formats.size(Math.round(item.speed)) });
  const left =
    seconds < 90
      ? t('row.left.seconds', { count: seconds })
      : seconds < 5_400
        ? t('row.left.minutes', { count: Math.round(seconds / 60) })
        : t('row.left.hours', { count: Math.round(seconds / 3_600) });
  return `${speed} · ${left}`;
}
