/**
 * Stands in for zod in the built app. The contracts state their shapes with it; a browser checks none of them (the
 * server does, and the types did before), so that of a shape only the names of its members are left. zod itself would be
 * a tenth of the first page.
 */
type Members = Readonly<Record<string, unknown>>;

const checks = /^(safe)?(parse|decode|encode)/i;
const objects: ReadonlySet<string | symbol> = new Set(['object', 'strictObject', 'looseObject']);

/** A shape, whatever is said of it further; of an object it knows the members. */
function stated(members?: Members): unknown {
  return new Proxy(() => undefined, {
    get(_, name) {
      if (name === 'shape') return members;
      if (name === 'extend') return (more: Members) => stated({ ...members, ...more });
      if (typeof name === 'string' && checks.test(name)) throw new TypeError('Only the server checks shapes.');
      return () => stated(members);
    },
  });
}

const objectShapes = {
  [Symbol.hasInstance]: (value: unknown) =>
    typeof value === 'function' && (value as { shape?: Members }).shape !== undefined,
};

/** `z.string(…)`, and `z.iso.date(…)`. */
function maker(isObject: boolean): unknown {
  return new Proxy((given?: Members) => stated(isObject ? given : undefined), { get: () => () => stated() });
}

export const z: unknown = new Proxy(
  {},
  { get: (_, name) => (name === 'ZodObject' ? objectShapes : maker(objects.has(name))) },
);
