/** Days as the API counts them, in UTC. */
const length = 86_400_000;

/** A moment of that day that is the same date in nearly every zone of the reader: noon, in UTC. */
export const atDay = (day: string): string => `${day}T12:00:00Z`;

/** So many days up to today, the oldest first. */
export function lastDays(count: number, now: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => new Date(now - (count - 1 - at) * length).toISOString().slice(0, 10));
}
