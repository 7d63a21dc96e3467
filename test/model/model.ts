/**
 * The reference model: what companies, people and documents are, in the plainest code that says it. The product is held
 * to it by `model.test.ts`. Written from the contract and the roles' table in prose, not from the product's code.
 */

export type Role = 'hr_admin' | 'hr_manager' | 'employee' | 'customer';
export const rank: Record<Role, number> = { hr_admin: 4, hr_manager: 3, employee: 2, customer: 1 };

export interface ModelPerson {
  /** Index into the real people, given when they accepted. */
  readonly key: number;
  readonly company: number;
  role: Role;
  active: boolean;
}

export interface ModelDocument {
  readonly key: number;
  readonly company: number;
  readonly owner: number;
  filename: string;
  content: string;
  version: number;
  trashed: boolean;
  purged: boolean;
  /** People it is shared with, and how. */
  readonly shares: Map<number, 'read' | 'write'>;
}

export interface Model {
  readonly companies: { readonly key: number; gone: boolean }[];
  readonly people: ModelPerson[];
  readonly documents: ModelDocument[];
}

export const newModel = (): Model => ({ companies: [], people: [], documents: [] });

/** People who can act: active, in a company that is still there. */
export function actors(model: Model): ModelPerson[] {
  return model.people.filter((person) => person.active && !model.companies[person.company]!.gone);
}

/** Whether `person` may see `document`, by own rank, the owner's present rank, and shares. */
export function sees(model: Model, person: ModelPerson, document: ModelDocument): boolean {
  if (person.company !== document.company || document.purged) return false;
  return everything(model, person, document) || document.shares.has(person.key);
}

/** Whether `person` may do everything with `document`. */
export function everything(model: Model, person: ModelPerson, document: ModelDocument): boolean {
  if (person.company !== document.company) return false;
  const owner = model.people[document.owner]!;
  if (owner.key === person.key || person.role === 'hr_admin') return true;
  return person.role === 'hr_manager' && rank[owner.role] < rank[person.role];
}

/** A document of the same owner and name that is not in the trash. */
export function sameName(model: Model, owner: number, filename: string, except?: number): ModelDocument | undefined {
  return model.documents.find(
    (one) => one.owner === owner && one.filename === filename && !one.trashed && !one.purged && one.key !== except,
  );
}
