/** Tells those who hear the page what becomes of uploads: start, every quarter, done, failed. Not each byte. */
import { useEffect, useRef, useState } from 'react';
import { appTexts } from '../kit/app-texts.ts';
import { useFormats } from '../kit/formats.ts';
import { useTexts } from '../kit/texts.ts';
import classes from './announcer.module.css';
import { isFailed, isUnfinished, type UploadItem } from './item.ts';
import { useUploads } from './store.ts';
import { uploadsTexts } from './texts.ts';
import { refusalText } from './words.ts';

/** What has been said, so that it is said once. */
interface Said {
  readonly started: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
  readonly arrived: ReadonlySet<string>;
  /** Quarters of what is under way. */
  readonly quarter: number;
}

const nothing: Said = { started: new Set(), failed: new Set(), arrived: new Set(), quarter: 0 };

export interface News {
  readonly started: number;
  readonly quarter: number | undefined;
  readonly arrived: number;
  readonly failed: readonly UploadItem[];
}

/** What is new since it was last said. */
export function newsOf(items: readonly UploadItem[], said: Said): { news: News; said: Said } {
  const going = items.filter((item) => isUnfinished(item) || item.documentId !== undefined);
  const active = items.some(isUnfinished);
  const arrived = items.filter(({ documentId }) => documentId !== undefined);
  const failed = items.filter(isFailed);
  const fresh = going.filter(({ key }) => !said.started.has(key));
  const total = going.reduce((sum, { size }) => sum + size, 0);
  const sent = going.reduce((sum, item) => sum + item.sent, 0);
  const quarter = total === 0 ? 0 : Math.min(3, Math.floor((sent / total) * 4));
  // More files make the share smaller: it is counted from there.
  const before = fresh.length > 0 ? Math.min(said.quarter, quarter) : said.quarter;
  const done = arrived.filter(({ key }) => !said.arrived.has(key)).length;
  const keys = (list: readonly UploadItem[]) => new Set(list.map(({ key }) => key));
  const finished = !active && arrived.some(({ key }) => !said.arrived.has(key));
  return {
    news: {
      started: fresh.length,
      quarter: active && quarter > before ? quarter : undefined,
      arrived: finished ? done : 0,
      failed: failed.filter(({ key }) => !said.failed.has(key)),
    },
    said: {
      started: keys(going),
      failed: keys(failed),
      arrived: active ? said.arrived : keys(arrived),
      quarter: active ? Math.max(quarter, before) : 0,
    },
  };
}

export function Announcer() {
  const t = useTexts(uploadsTexts);
  const app = useTexts(appTexts);
  const formats = useFormats();
  const items = useUploads();
  const said = useRef(nothing);
  const count = useRef(0);
  const [lines, setLines] = useState<readonly { id: number; text: string }[]>([]);
  useEffect(() => {
    const { news, said: next } = newsOf(items, said.current);
    said.current = next;
    const fallbacks = { network: app('error.network'), unexpected: app('error.unexpected') };
    const texts = [
      news.started > 0 ? t('say.started', { count: news.started }) : undefined,
      news.quarter === undefined ? undefined : t('say.percent', { percent: formats.percent(news.quarter / 4) }),
      ...news.failed.map((item) =>
        t('say.failed', { name: item.name, why: refusalText(item, t, formats, fallbacks) ?? '' }),
      ),
      news.arrived > 0 ? t('say.done', { count: news.arrived }) : undefined,
    ].filter((text) => text !== undefined);
    if (texts.length === 0) return;
    const fresh = texts.map((text) => {
      count.current += 1;
      return { id: count.current, text };
    });
    setLines((before) => [...before, ...fresh].slice(-8));
  }, [items, t, app, formats]);
  return (
    <div role="log" aria-live="polite" aria-label={t('tray.label')} className={classes.spoken}>
      {lines.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
