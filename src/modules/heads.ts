/**
 * How many migrations this release has, control and tenant, kernel and modules together. Written down so that a look at
 * a fleet that is current need not load the migrations themselves; `test/migrations/heads.test.ts` counts them.
 */
export const controlHead = 12;
export const tenantHead = 8;
/** The oldest state of a company's database that this release works with: below it the company answers 503. */
export const tenantOldestServed = 8;
