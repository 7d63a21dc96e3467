/** Physical names and slugs: what must hold whatever a company is called. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newId, type TenantId } from '../../src/kernel/ids.ts';
import { createSqlitePaths } from '../../src/kernel/placements/sqlite-paths.ts';
import { isReservedSlug, isSlug, slugFromName, suffixedSlug } from '../../src/kernel/tenants/slugs.ts';

const letters = [...'0123456789abcdefghjkmnpqrstvwxyz'];
const part = fc
  .tuple(
    fc.constantFrom(...letters.slice(0, 8)),
    fc.array(fc.constantFrom(...letters), { minLength: 25, maxLength: 25 }),
  )
  .map(([first, rest]) => `comp_${first}${rest.join('')}` as TenantId);

describe('physical names', () => {
  const paths = createSqlitePaths('/data', 'tenant_{id}', 'tenants/{id}/tenant.db');

  it('are injective, usable everywhere, and lead back to their company', () => {
    fc.assert(
      fc.property(part, part, (one, other) => {
        const name = paths.unitName(one);
        expect(name).toMatch(/^[a-z][a-z0-9_]{0,62}$/);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
        expect(paths.tenantOf(name)).toBe(one);
        expect(name === paths.unitName(other)).toBe(one === other);
        expect(paths.file(one) === paths.file(other)).toBe(one === other);
      }),
    );
  });

  it('know no company that was not issued', () => {
    for (const name of ['tenant_', 'tenant_x', `tenant_${'8'.repeat(26)}`, `tenant_${newId('company').slice(5)}x`]) {
      expect(paths.tenantOf(name)).toBeUndefined();
    }
  });
});

describe('slugs', () => {
  it('are made from any name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })), (name) => {
        const slug = slugFromName(name);
        expect(isSlug(slug)).toBe(true);
        expect(isReservedSlug(slug)).toBe(false);
        const longer = suffixedSlug(slug, 'abcdefghijklmnopqrstuvwxyz');
        expect(isSlug(longer)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['Bäcker & Söhne GmbH', 'backer-sohne-gmbh'],
    ['Straße Øst Łódź', 'strasse-ost-lodz'],
    ['株式会社', 'company'],
    ['  --  ', 'company'],
    ['API', 'company'],
    ['comp', 'company'],
    ['x'.repeat(100), 'x'.repeat(40)],
    [`${'a'.repeat(39)} b`, 'a'.repeat(39)],
    ['İstanbul', 'istanbul'],
    ['ﬁne ①', 'fine-1'],
  ])('%s → %s', (name, slug) => {
    expect(slugFromName(name)).toBe(slug);
  });
});
