/** English texts of people and invitations. */
export const en = {
  nav: 'People',
} as const;
