/** Dates, sizes and numbers in the words of the reader's own locale. */
import { useMemo } from 'react';
import { localeOf, useLanguage } from './language.ts';

export type TimeLike = string | number | Date;

const sizes = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;
const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

export interface Formats {
  readonly number: (value: number) => string;
  readonly percent: (share: number) => string;
  /** 1 kB is 1000 bytes, as disks and browsers count. */
  readonly size: (bytes: number) => string;
  readonly date: (time: TimeLike) => string;
  readonly time: (time: TimeLike) => string;
  /** As exact as it gets, with seconds and zone. */
  readonly exact: (time: TimeLike) => string;
  /** "3 minutes ago", "in 2 days". */
  readonly relative: (time: TimeLike, now?: number) => string;
}

const made = new Map<string, Formats>();

/** One for each locale: to make them takes longer than to draw a row of a table, and every row wants them. */
export function formatsOf(locale: string): Formats {
  const known = made.get(locale) ?? newFormats(locale);
  made.set(locale, known);
  return known;
}

function newFormats(locale: string): Formats {
  const number = new Intl.NumberFormat(locale);
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
  const time = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const ofSize = sizes.map(
    (unit) =>
      new Intl.NumberFormat(locale, {
        style: 'unit',
        unit,
        unitDisplay: unit === 'byte' ? 'long' : 'short',
        maximumFractionDigits: 1,
      }),
  );
  return {
    number: (value) => number.format(value),
    percent: (share) => percent.format(share),
    size(bytes) {
      const step = Math.min(sizes.length - 1, bytes < 1_000 ? 0 : Math.floor(Math.log10(bytes) / 3));
      return ofSize[step]!.format(bytes / 1_000 ** step);
    },
    date: (value) => date.format(new Date(value)),
    time: (value) => time.format(new Date(value)),
    exact: (value) => exact.format(new Date(value)),
    relative(value, now = Date.now()) {
      const seconds = (new Date(value).getTime() - now) / 1_000;
      const [unit, size] = steps.find(([, size]) => Math.abs(seconds) >= size) ?? (['second', 1] as const);
      const amount = Math.round(seconds / size);
      return relative.format(unit === 'second' && Math.abs(amount) < 45 ? 0 : amount, unit);
    },
  };
}

/** As in the pseudo-locale: marked like its texts, so that what is formatted past the locale is seen at once. */
function marked(formats: Formats): Formats {
  const mark = (text: string) => (/\p{L}/u.test(text) ? `⟦${text}⟧` : text);
  return {
    number: (value) => mark(formats.number(value)),
    percent: (share) => mark(formats.percent(share)),
    size: (bytes) => mark(formats.size(bytes)),
    date: (time) => mark(formats.date(time)),
    time: (time) => mark(formats.time(time)),
    exact: (time) => mark(formats.exact(time)),
    relative: (time, now) => mark(formats.relative(time, now)),
  };
}

export function useFormats(): Formats {
  const language = useLanguage();
  return useMemo(() => {
    const formats = formatsOf(localeOf(language));
    return language.startsWith('qps') ? marked(formats) : formats;
  }, [language]);
}
