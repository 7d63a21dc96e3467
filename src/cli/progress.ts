/** One line on standard error that is written over while something goes on; nothing at all where that is no terminal. */

export interface ProgressLine {
  /** Whether somebody sees it. */
  readonly live: boolean;
  /** Shows this text in place of the one before. At most ten times a second. */
  show(text: string): void;
  /** Takes the line away. */
  end(): void;
}

/** What of a stream is needed. */
interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const pauseMs = 100;
const clear = '\r\u001b[K';

export function createProgressLine(screen: Screen): ProgressLine {
  const live = screen.isTTY === true;
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    live,
    show(text) {
      if (!live || performance.now() - shownAt < pauseMs) return;
      shownAt = performance.now();
      // A line that wraps could not be written over.
      screen.write(clear + text.slice(0, Math.max(10, (screen.columns ?? 80) - 1)));
    },
    end() {
      if (live && shownAt > 0) screen.write(clear);
      shownAt = Number.NEGATIVE_INFINITY;
    },
  };
}
