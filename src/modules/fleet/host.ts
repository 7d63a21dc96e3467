/**
 * What the command line asks on the host itself: operators, doctor, imports, verification of trails, reset. Reached
 * through the data folder's socket alone, whose owner has the files anyway.
 */
import { z } from 'zod';
import { verdictView } from '../../kernel/audit/views.ts';
import { forbidden, isStrongroomError, type StrongroomError } from '../../kernel/errors.ts';
import type { Tenant } from '../../kernel/handles.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { bind } from '../../kernel/module.ts';
import { roleNames } from '../../kernel/roles.ts';
import { EmailText, FullNameText, UsernameText } from '../../kernel/shapes.ts';
import type { Companies } from './companies.ts';
import { hostContract, type ImportResult, type Trail } from './host-contract.ts';
import type { FleetParts } from './ports.ts';

const batch = 200;

const ImportedRow = z.strictObject({
  email: EmailText,
  full_name: FullNameText,
  role: z.enum(roleNames),
  username: UsernameText.optional(),
  password_hash: z
    .string()
    .max(500)
    .regex(/^\$(2[aby]\$\d{2}\$[./A-Za-z0-9]{53}|argon2(id|i|d)\$[^\s]+)$/, 'a bcrypt or argon2 hash')
    .optional(),
});

export function hostRoutes(kernel: Kernel, parts: FleetParts, companies: Companies) {
  return bind(hostContract, {
    async hostCreateOperator({ body, caller }) {
      return { status: 201 as const, body: await parts.accounts.createOperator(body, caller.actor) };
    },
    async hostDoctor({ body, caller }) {
      if (body.abandon !== undefined) {
        await kernel.tenants.abandon((await companies.find(body.abandon)).id, caller.actor);
      }
      const only = body.only && (await Promise.all(body.only.map(async (name) => (await companies.find(name)).id)));
      const findings = await kernel.doctor.examine({
        repair: body.repair,
        deep: body.deep,
        ...(only === undefined ? {} : { only }),
      });
      return { status: 200 as const, body: { findings: findings.map((finding) => ({ ...finding })) } };
    },
    async hostImportUsers({ body, caller }) {
      const record = await companies.find(body.company);
      const tenant = await companies.open(record, caller.actor);
      const results: ImportResult[] = [];
      for (const [index, row] of body.rows.entries()) {
        results.push({ row: index + 1, ...(await importRow(tenant, parts, row)) });
      }
      return { status: 200 as const, body: { results } };
    },
    async hostVerifyAudit({ body, caller }) {
      const trails: Trail[] = [];
      if (body.company === undefined) {
        trails.push({ subject: 'fleet', ...verdictView(await kernel.audit.verifyFleet()) });
        for await (const record of everyCompany(companies)) {
          if (record.state === 'creating' || record.state === 'failed' || record.state === 'purging') continue;
          trails.push(await verifyOne(kernel, kernel.tenants.openAny(record, caller.actor)));
        }
      } else {
        const record = await companies.find(body.company);
        trails.push(await verifyOne(kernel, kernel.tenants.openAny(record, caller.actor)));
      }
      return { status: 200 as const, body: { ok: trails.every((trail) => trail.ok), trails } };
    },
    async hostReset({ caller }) {
      if (!kernel.config.development) {
        throw forbidden(
          'Only a development installation can be reset: set STRONGROOM_DEVELOPMENT=true.',
          'not_development',
        );
      }
      const records = [];
      for await (const record of everyCompany(companies)) records.push(record);
      for (const record of records) {
        if (record.state === 'failed' || record.state === 'creating') {
          await kernel.tenants.abandon(record.id, caller.actor);
          continue;
        }
        await kernel.tenants.delete(record.id, caller.actor);
        await kernel.tenants.purge(record.id, caller.actor);
      }
      return { status: 200 as const, body: { companies: records.length } };
    },
  });
}

/** Oldest first, a page at a time. */
async function* everyCompany(companies: Companies) {
  let after: readonly string[] | undefined;
  for (;;) {
    const page = await companies.list({ limit: batch, filter: {}, sort: 'created_at', after, total: false });
    yield* page.items;
    if (page.next === null) return;
    after = page.next;
  }
}

/** A trail that cannot be read is one that does not verify; the others are still checked. */
async function verifyOne(kernel: Kernel, tenant: Tenant): Promise<Trail> {
  try {
    return { subject: tenant.slug, ...verdictView(await kernel.audit.verify(tenant)) };
  } catch (error) {
    if (!isStrongroomError(error, 'unavailable')) throw error;
    const reason = `the trail cannot be read: ${error.message}`;
    return { subject: tenant.slug, ok: false, rows: 0, sealed: 0, unsealed: 0, first_bad: { seq: 0, reason } };
  }
}

/** One row: whatever is wrong with it becomes its result, and the next row is tried. */
async function importRow(
  tenant: Tenant,
  parts: FleetParts,
  row: Readonly<Record<string, unknown>>,
): Promise<Omit<ImportResult, 'row'>> {
  const email = typeof row.email === 'string' ? row.email.slice(0, 254) : null;
  const parsed = ImportedRow.safeParse(row);
  if (!parsed.success) {
    const reason = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'row'}: ${issue.message}`).join('; ');
    return { email, status: 'failed', id: null, reason };
  }
  const { full_name, password_hash, username, ...person } = parsed.data;
  try {
    const imported = await parts.accounts.importPerson(
      tenant,
      {
        ...person,
        fullName: full_name,
        ...(username === undefined ? {} : { username }),
        ...(password_hash === undefined ? {} : { passwordHash: password_hash }),
      },
      tenant.actor,
    );
    return { email, status: imported.created ? 'created' : 'unchanged', id: imported.id, reason: null };
  } catch (error) {
    if (!isStrongroomError(error) || error.kind === 'unavailable' || error.kind === 'internal') throw error;
    return { email, status: 'failed', id: null, reason: reasonOf(error) };
  }
}

function reasonOf(error: StrongroomError): string {
  const fields = error.fields?.map((field) => `${field.path}: ${field.message}`) ?? [];
  return fields.length > 0 ? fields.join('; ') : error.message;
}
