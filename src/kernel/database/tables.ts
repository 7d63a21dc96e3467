/**
 * The tables of the two kinds of database, as types that cannot be swapped.
 *
 * A module adds its own by declaration merging, in its `tables.ts`:
 *
 *     declare module '../../kernel/database/tables.ts' {
 *       interface TenantTables { documents: DocumentTable }
 *     }
 *
 * Conventions for both dialects: times are ISO 8601 text (UTC, milliseconds), so that text order is time order; sizes
 * and counts are integers below 2^53; booleans are the integers 0 and 1; JSON is text; ids are text.
 */

/** Tables of the control database. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface ControlTables {}

/** Tables of each tenant's own database. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface TenantTables {}
