/**
 * Slow bodies: a request whose body comes slower than the minimum over a window of 20 s is ended with 408, so that
 * a client cannot hold a request, a temporary file and a quota reservation by sending one byte now and then.
 *
 * One timer for all requests. Bytes are counted where they arrive (at the socket), and a window in which our own side
 * did not take them (a slow disk) does not count against the client.
 */
import type { IncomingMessage } from 'node:http';

export interface BodyWatch {
  /** Watches until the body is complete; calls `slow` once when it comes too slowly. Returns how to stop watching. */
  watch(request: IncomingMessage, slow: () => void): () => void;
  close(): void;
}

interface Watched {
  readonly request: IncomingMessage;
  readonly slow: () => void;
  since: number;
  bytes: number;
}

export function createBodyWatch(options: { bytesPerSecond: number; windowMs?: number }): BodyWatch {
  const windowMs = options.windowMs ?? 20_000;
  const least = (options.bytesPerSecond * windowMs) / 1_000;
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    const now = performance.now();
    for (const item of watched) {
      const { request } = item;
      const bytes = request.socket.bytesRead;
      if (request.complete || request.destroyed) {
        watched.delete(item);
      } else if (bytes - item.bytes >= least || request.readableLength >= request.readableHighWaterMark) {
        item.bytes = bytes;
        item.since = now;
      } else if (now - item.since >= windowMs) {
        watched.delete(item);
        item.slow();
      }
    }
    if (watched.size === 0) stop();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    watch(request, slow) {
      const item: Watched = { request, slow, since: performance.now(), bytes: request.socket.bytesRead };
      watched.add(item);
      timer ??= setInterval(look, Math.max(20, windowMs / 10)).unref();
      return () => watched.delete(item);
    },
    close() {
      watched.clear();
      stop();
    },
  };
}
