/** Which people and roles somebody can see: oneself and every lower rank; whoever changes all sees all. */
import type { TenantReader } from '../../../kernel/database/database.ts';
import { notFound } from '../../../kernel/errors.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import { isId } from '../../../kernel/ids.ts';
import { type Role, roleDefinition } from '../../../kernel/roles.ts';
import { findActiveRole } from '../repository/shares.ts';
import type { Viewer } from '../visibility.ts';

export function canSeePerson(viewer: Viewer, id: string, role: string): boolean {
  return id === viewer.id || viewer.definition.changes === 'all' || viewer.lower.includes(role as Role);
}

/**
 * Whom a share is given to: an active person or a role that the viewer can see.
 * @throws not_found for everybody and everything else, alike
 */
export async function requireGrantee(
  source: TenantReader,
  tenant: Pick<Tenant, 'preset'>,
  viewer: Viewer,
  grantee: string,
): Promise<void> {
  if (isId('user', grantee)) {
    const role = await findActiveRole(source, grantee);
    if (role !== undefined && canSeePerson(viewer, grantee, role)) return;
  } else if (roleDefinition(tenant.preset, grantee) !== undefined) {
    if (viewer.definition.changes === 'all' || viewer.lower.includes(grantee as Role)) return;
  }
  throw notFound();
}
