/** Thrown by guards of routes; shown as a page that says whose it is. */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';
  constructor() {
    super('This page is not for this role.');
  }
}
