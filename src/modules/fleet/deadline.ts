/** Waiting with an end: what is waited for goes on, its later failure is nobody's unhandled rejection. */

export const late = Symbol('late');

/** The value of `work`, or `late` after `ms`. Failures before that are thrown. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | typeof late> {
  const timer = Promise.withResolvers<typeof late>();
  const handle = setTimeout(() => timer.resolve(late), ms);
  work.catch(() => {});
  try {
    return await Promise.race([work, timer.promise]);
  } finally {
    clearTimeout(handle);
  }
}
