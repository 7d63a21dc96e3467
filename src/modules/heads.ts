/**
 * How many migrations this release has, control and tenant, kernel and modules together. Written down so that a look at
 * a fleet that is current need not load the migrations themselves; `test/migrations/heads.test.ts` counts them.
 */
export const controlHead = 8;
export const tenantHead = 7;
