/** A time as people say it, with the exact one for who points at it, and for machines. */
import { Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { type TimeLike, useFormats } from './formats.ts';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all times of a page. */
function useMinute(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const listener = () => setNow(Date.now());
    listeners.add(listener);
    timer ??= setInterval(() => {
      for (const each of listeners) each();
    }, 30_000);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return now;
}

export function Time({ value }: { value: TimeLike }) {
  const formats = useFormats();
  const now = useMinute();
  // A list has thousands: the tooltip is made for the one that is pointed at.
  const [pointed, setPointed] = useState(false);
  const dateTime = new Date(value).toISOString();
  const words = formats.relative(value, now);
  if (!pointed) {
    return (
      <time dateTime={dateTime} onPointerEnter={() => setPointed(true)}>
        {words}
      </time>
    );
  }
  return (
    <Tooltip defaultOpened label={formats.exact(value)} events={{ hover: true, focus: true, touch: true }}>
      <time dateTime={dateTime}>{words}</time>
    </Tooltip>
  );
}
