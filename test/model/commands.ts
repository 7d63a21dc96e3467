/** What people do, as fast-check commands: each runs on the model and on the real server and compares the two. */
import fc from 'fast-check';
import { expect } from 'vitest';
import {
  type Company,
  call,
  expectCall,
  fileForm,
  invitePerson,
  newCompany,
  type Person,
  uploadFile,
} from '../support/story.ts';
import {
  actors,
  everything,
  type Model,
  type ModelDocument,
  type ModelPerson,
  type Role,
  rank,
  sameName,
  sees,
} from './model.ts';

/** The real side: the server, and the real ids by the model's keys. */
export interface Real {
  readonly url: string;
  readonly operator: string;
  readonly companies: Company[];
  readonly people: Person[];
  readonly documents: string[];
  /** Unique in a run, so that names of companies and people never collide between runs. */
  serial: number;
}

type Command = fc.AsyncCommand<Model, Real>;
const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)];

function command(
  text: string,
  ready: (model: Model) => boolean,
  run: (model: Model, real: Real) => Promise<void>,
): Command {
  return { check: ready, run, toString: () => text };
}

const createCompany = () =>
  command(
    'create company',
    (model) => model.companies.length < 4,
    async (model, real) => {
      real.serial += 1;
      const company = await newCompany(real.url, real.operator, `Model ${real.serial}`);
      const key = model.companies.length;
      model.companies.push({ key, gone: false });
      real.companies[key] = company;
      addPerson(model, real, key, 'hr_admin', company.admin);
    },
  );

function addPerson(model: Model, real: Real, company: number, role: Role, person: Person): void {
  const key = model.people.length;
  model.people.push({ key, company, role, active: true });
  real.people[key] = person;
}

const invite = (by: number, role: Role) =>
  command(
    `person ${by} invites ${role}`,
    (model) => actors(model).length > 0 && model.people.length < 16,
    async (model, real) => {
      const inviter = pick(actors(model), by)!;
      real.serial += 1;
      const username = `p${real.serial}`;
      const allowed = rank[role] < rank[inviter.role];
      if (!allowed) {
        const answer = await call(real.url, 'POST', '/api/user-management/invite', {
          token: real.people[inviter.key]!.token,
          body: { email: `${username}@people.example`, full_name: 'A person', role },
        });
        expect([403, 422]).toContain(answer.status);
        return;
      }
      addPerson(
        model,
        real,
        inviter.company,
        role,
        await invitePerson(real.url, real.people[inviter.key]!, role, username),
      );
    },
  );

const names = ['a.txt', 'b.txt', 'Ünï.txt'];

const upload = (by: number, name: number, content: string) =>
  command(
    `person ${by} uploads ${names[name]} ${JSON.stringify(content)}`,
    (model) => actors(model).length > 0 && model.documents.length < 40,
    async (model, real) => {
      const person = pick(actors(model), by)!;
      const { token } = real.people[person.key]!;
      const filename = names[name]!;
      if (person.role === 'customer') {
        const answer = await call(real.url, 'POST', '/api/documents/upload', {
          token,
          raw: fileForm(filename, content),
        });
        expect(answer.status).toBe(403);
        return;
      }
      const taken = sameName(model, person.key, filename);
      if (taken) {
        const answer = await call(real.url, 'POST', '/api/documents/upload', {
          token,
          raw: fileForm(filename, content),
        });
        expect(answer.status).toBe(409);
        expect(answer.body).toMatchObject({ code: 'filename_taken', document_id: real.documents[taken.key] });
        return;
      }
      const made = await uploadFile(real.url, token, filename, content);
      const key = model.documents.length;
      model.documents.push({
        key,
        company: person.company,
        owner: person.key,
        filename,
        content,
        version: 1,
        trashed: false,
        purged: false,
        shares: new Map(),
      });
      real.documents[key] = made.id;
    },
  );

/** Picks any document of any company: other companies' must answer as if they did not exist. */
function onDocument(
  text: string,
  by: number,
  which: number,
  run: (model: Model, real: Real, person: ModelPerson, document: ModelDocument) => Promise<void>,
): Command {
  return command(
    `person ${by} ${text} document ${which}`,
    (model) => actors(model).length > 0 && model.documents.length > 0,
    (model, real) => run(model, real, pick(actors(model), by)!, pick(model.documents, which)!),
  );
}

const read = (by: number, which: number) =>
  onDocument('reads', by, which, async (model, real, person, document) => {
    const { token } = real.people[person.key]!;
    const answer = await call(real.url, 'GET', `/api/documents/${real.documents[document.key]}/download`, { token });
    expect(answer.status).toBe(sees(model, person, document) && !document.trashed ? 200 : 404);
    if (answer.status === 200) expect(answer.text).toBe(document.content);
  });

const trash = (by: number, which: number) =>
  onDocument('trashes', by, which, async (model, real, person, document) => {
    const answer = await call(real.url, 'DELETE', `/api/documents/${real.documents[document.key]}`, {
      token: real.people[person.key]!.token,
    });
    if (!sees(model, person, document) || document.trashed) expect(answer.status).toBe(404);
    else if (!everything(model, person, document)) expect(answer.status).toBe(403);
    else {
      expect(answer.status).toBe(204);
      document.trashed = true;
    }
  });

const restore = (by: number, which: number) =>
  onDocument('restores', by, which, async (model, real, person, document) => {
    const answer = await call(real.url, 'POST', `/api/documents/${real.documents[document.key]}/restore`, {
      token: real.people[person.key]!.token,
    });
    if (document.purged || !everything(model, person, document)) expect(answer.status).toBeGreaterThanOrEqual(400);
    // Restoring what is not in the trash changes nothing.
    else if (!document.trashed) expect(answer.status).toBe(200);
    else if (sameName(model, document.owner, document.filename, document.key)) expect(answer.status).toBe(409);
    else {
      expect(answer.status).toBe(200);
      document.trashed = false;
    }
  });

const purge = (by: number, which: number) =>
  onDocument('purges', by, which, async (model, real, person, document) => {
    const answer = await call(real.url, 'DELETE', `/api/documents/${real.documents[document.key]}?purge=true`, {
      token: real.people[person.key]!.token,
    });
    const may = sees(model, person, document) && (document.owner === person.key || person.role === 'hr_admin');
    if (may) {
      expect(answer.status).toBe(204);
      document.purged = true;
    } else expect([403, 404]).toContain(answer.status);
  });

const share = (by: number, which: number, withWhom: number, access: 'read' | 'write') =>
  onDocument(`shares (${access}) with person ${withWhom}`, by, which, async (model, real, person, document) => {
    const other = pick(model.people, withWhom)!;
    const answer = await call(
      real.url,
      'PUT',
      `/api/documents/${real.documents[document.key]}/shares/${real.people[other.key]!.id}`,
      {
        token: real.people[person.key]!.token,
        body: { access },
      },
    );
    const mayGive =
      !document.trashed &&
      sees(model, person, document) &&
      (document.owner === person.key || person.role === 'hr_admin');
    const seesOther =
      other.company === person.company && (person.role === 'hr_admin' || rank[other.role] < rank[person.role]);
    // What a share to oneself, to the owner or to somebody deactivated answers is not the model's business.
    if (other.key === person.key || other.key === document.owner || !other.active) return;
    if (mayGive && seesOther) {
      expect(answer.status).toBeLessThan(300);
      document.shares.set(other.key, access);
    } else expect(answer.status).toBeGreaterThanOrEqual(400);
  });

const changeRole = (by: number, whom: number, role: Role) =>
  command(
    `person ${by} makes person ${whom} ${role}`,
    (model) => actors(model).length > 1,
    async (model, real) => {
      const person = pick(actors(model), by)!;
      const other = pick(model.people, whom)!;
      const answer = await call(real.url, 'PATCH', `/api/user-management/users/${real.people[other.key]!.id}`, {
        token: real.people[person.key]!.token,
        body: { role },
      });
      const below =
        other.company === person.company && rank[other.role] < rank[person.role] && rank[role] < rank[person.role];
      if (below && other.active) {
        expect(answer.status).toBe(200);
        other.role = role;
      } else if (!below) expect(answer.status).toBeGreaterThanOrEqual(400);
      else if (answer.status === 200) other.role = role;
    },
  );

const deactivate = (by: number, whom: number) =>
  command(
    `person ${by} deactivates person ${whom}`,
    (model) => actors(model).length > 1,
    async (model, real) => {
      const person = pick(actors(model), by)!;
      const other = pick(model.people, whom)!;
      const answer = await call(real.url, 'DELETE', `/api/user-management/users/${real.people[other.key]!.id}`, {
        token: real.people[person.key]!.token,
      });
      const may = other.company === person.company && rank[other.role] < rank[person.role];
      if (!may) {
        expect(answer.status).toBeGreaterThanOrEqual(400);
        return;
      }
      other.active = false;
      const { token } = real.people[other.key]!;
      expect((await call(real.url, 'GET', '/api/auth/me', { token })).status).toBe(401);
    },
  );

const deleteCompany = (which: number) =>
  command(
    `delete company ${which}`,
    (model) => model.companies.filter((one) => !one.gone).length > 2,
    async (model, real) => {
      const company = pick(
        model.companies.filter((one) => !one.gone),
        which,
      )!;
      const { id, slug, admin } = real.companies[company.key]!;
      await expectCall(204, real.url, 'DELETE', `/api/companies/${id}?confirm=${slug}&purge=now`, {
        token: real.operator,
      });
      company.gone = true;
      expect((await call(real.url, 'GET', '/api/auth/me', { token: admin.token })).status).toBe(401);
    },
  );

/** What everybody who can act lists must be exactly what the model says they see. */
const everybodyLists = () =>
  command(
    'everybody lists',
    (model) => actors(model).length > 0,
    async (model, real) => {
      for (const person of actors(model)) {
        const answer = await expectCall<{ items: { id: string }[] }>(200, real.url, 'GET', '/api/documents?limit=200', {
          token: real.people[person.key]!.token,
        });
        const expected = model.documents
          .filter((one) => !one.trashed && sees(model, person, one))
          .map((one) => real.documents[one.key]!);
        expect(answer.items.map((item) => item.id).sort()).toEqual(expected.sort());
      }
    },
  );

const small = fc.nat(30);
const role = fc.constantFrom<Role>('hr_admin', 'hr_manager', 'employee', 'customer');

/** Sequences of everything that people do. */
export const commands = (maxCommands: number) =>
  fc.commands(
    [
      fc.constant(createCompany()),
      fc.tuple(small, role).map(([by, which]) => invite(by, which)),
      fc
        .tuple(small, fc.nat(2), fc.constantFrom('one', 'two', ''))
        .map(([by, name, content]) => upload(by, name, content)),
      fc.tuple(small, small).map(([by, which]) => read(by, which)),
      fc.tuple(small, small).map(([by, which]) => trash(by, which)),
      fc.tuple(small, small).map(([by, which]) => restore(by, which)),
      fc.tuple(small, small).map(([by, which]) => purge(by, which)),
      fc
        .tuple(small, small, small, fc.constantFrom<'read' | 'write'>('read', 'write'))
        .map(([by, which, whom, access]) => share(by, which, whom, access)),
      fc.tuple(small, small, role).map(([by, whom, to]) => changeRole(by, whom, to)),
      fc.tuple(small, small).map(([by, whom]) => deactivate(by, whom)),
      small.map((which) => deleteCompany(which)),
      fc.constant(everybodyLists()),
    ],
    { maxCommands, size: 'max' },
  );
