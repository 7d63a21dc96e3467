/** How long this process has worked, as its limits count it. */

/** Processor time of all its threads together, of the program and of the system for it (ms). */
export function processorMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
