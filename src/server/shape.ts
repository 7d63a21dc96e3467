/**
 * Answers are made from the contract's shape: a picker takes exactly the members that the shape names, so nothing
 * else can leave, whatever a handler returns. Compiled once per route; much cheaper than parsing every answer, which
 * tests do in addition (`validateAnswers`).
 */
import { z } from 'zod';

type Picker = (value: unknown) => unknown;

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly valueType?: z.ZodType;
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly getter?: () => z.ZodType;
  readonly in?: z.ZodType;
}

const identity: Picker = (value) => value;
const wrappers = new Set(['optional', 'nullable', 'default', 'prefault', 'readonly', 'nonoptional', 'catch']);

/**
 * A function that gives what `schema` names and drops the rest: the value itself where there is nothing to drop, which
 * is the rule and spares a copy of every list, else a copy.
 */
export function pickerOf(schema: z.ZodType): Picker {
  const definition = schema._zod.def as unknown as Definition;
  if (wrappers.has(definition.type)) return optionalPicker(pickerOf(definition.innerType!));
  switch (definition.type) {
    case 'object':
      return objectPicker(definition);
    case 'array':
      return arrayPicker(pickerOf(definition.element!));
    case 'record':
      return recordPicker(pickerOf(definition.valueType!));
    case 'union':
      return unionPicker(definition.options!);
    case 'intersection':
      return bothPicker(pickerOf(definition.left!), pickerOf(definition.right!));
    case 'pipe':
      return pickerOf(definition.in!);
    case 'lazy':
      return lazyPicker(definition.getter!);
    default:
      return identity;
  }
}

function optionalPicker(inner: Picker): Picker {
  if (inner === identity) return identity;
  return (value) => (value === null || value === undefined ? value : inner(value));
}

function objectPicker(definition: Definition): Picker {
  const shape = definition.shape!;
  const names = Object.keys(shape);
  const nested = names.map((name) => pickerOf(shape[name]!));
  // Members beyond the shape are kept only where the shape itself says that there may be any.
  const open = definition.catchall !== undefined && definition.catchall._zod.def.type !== 'never';
  const known = new Set(names);
  const inner = names.flatMap((name, index) => (nested[index] === identity ? [] : [[name, nested[index]!] as const]));
  return (value) => {
    const source = value as Record<string, unknown>;
    const changed = new Map<string, unknown>();
    for (const [name, pick] of inner) {
      const member = source[name];
      const picked = member === undefined ? undefined : pick(member);
      if (picked !== member) changed.set(name, picked);
    }
    if (open) return changed.size === 0 ? source : { ...source, ...Object.fromEntries(changed) };
    if (changed.size === 0 && isPlainWith(source, known)) return source;
    const picked: Record<string, unknown> = {};
    for (const name of names) {
      const member = changed.has(name) ? changed.get(name) : source[name];
      if (member !== undefined) picked[name] = member;
    }
    return picked;
  };
}

/** Whether there is nothing in an object but these members: none of its own beside them, and none that it inherits. */
function isPlainWith(source: object, names: ReadonlySet<string>): boolean {
  if (Object.getPrototypeOf(source) !== Object.prototype) return false;
  for (const name in source) if (!names.has(name)) return false;
  return true;
}

function arrayPicker(element: Picker): Picker {
  if (element === identity) return identity;
  return (value) => {
    const source = value as unknown[];
    let picked: unknown[] | undefined;
    for (const [index, item] of source.entries()) {
      const one = element(item);
      if (one === item) continue;
      picked ??= [...source];
      picked[index] = one;
    }
    return picked ?? source;
  };
}

function recordPicker(member: Picker): Picker {
  if (member === identity) return identity;
  return (value) =>
    Object.fromEntries(Object.entries(value as Record<string, unknown>).map(([key, item]) => [key, member(item)]));
}

/** The first option that the value fits; a value that fits none gives nothing rather than too much. */
function unionPicker(options: readonly z.ZodType[]): Picker {
  const pickers = options.map((option) => ({ option, pick: pickerOf(option) }));
  if (pickers.every(({ pick }) => pick === identity)) return identity;
  return (value) => pickers.find(({ option }) => z.safeParse(option, value).success)?.pick(value);
}

function bothPicker(left: Picker, right: Picker): Picker {
  return (value) => ({ ...(left(value) as object), ...(right(value) as object) });
}

function lazyPicker(getter: () => z.ZodType): Picker {
  let picker: Picker | undefined;
  return (value) => {
    picker ??= pickerOf(getter());
    return picker(value);
  };
}
