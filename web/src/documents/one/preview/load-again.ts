/**
 * Loads a part of the app, and again while the network or the server is away: a failure would otherwise stand in the
 * place of the page until it is reloaded, and what is typed there would be lost.
 */
import { currentReach, onReach } from '../../../app/reach.ts';

/** Tries while the server answers: then the part itself is gone. */
const most = 4;
const pauseMs = 2_000;

export async function loadAgain<Part>(load: () => Promise<Part>): Promise<Part> {
  for (let failures = 0; ; ) {
    try {
      return await load();
    } catch (error) {
      if (currentReach() === 'up') failures += 1;
      if (failures >= most) throw error;
      await changeOrPause();
    }
  }
}

function changeOrPause(): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      stop();
      clearTimeout(timer);
      resolve();
    };
    const stop = onReach(end);
    const timer = setTimeout(end, pauseMs);
  });
}
