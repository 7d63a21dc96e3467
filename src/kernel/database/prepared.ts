/**
 * Statements that are compiled once and run with other values each time: what every upload and every list would
 * otherwise pay again and again. A statement is built with named slots where values will be.
 */
import type { CompiledQuery, Kysely, QueryResult } from 'kysely';

class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Names a value to come; typed as whatever the builder wants there. */
export type SlotOf<V> = <K extends keyof V & string>(name: K) => V[K];

export type Prepared<S, V, R> = (source: S, values: V) => Promise<QueryResult<R>>;

type Source = Pick<Kysely<unknown>, 'getExecutor' | 'executeQuery'>;

/** @param build makes the statement, with slots in place of values; called once for each dialect. */
export function prepare<S extends Source, V extends object, R>(
  build: (source: S, slot: SlotOf<V>) => CompiledQuery<R>,
): Prepared<S, V, R> {
  const made = new WeakMap<object, CompiledQuery<R>>();
  const slot = ((name: string) => new Slot(name)) as unknown as SlotOf<V>;
  return (source, values) => {
    const dialect = source.getExecutor().adapter;
    let compiled = made.get(dialect);
    if (compiled === undefined) {
      compiled = build(source, slot);
      made.set(dialect, compiled);
    }
    const parameters = compiled.parameters.map((one) =>
      one instanceof Slot ? (values as Record<string, unknown>)[one.name] : one,
    );
    return source.executeQuery<R>({ ...compiled, parameters });
  };
}
