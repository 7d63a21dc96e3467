/** English texts of the operator console. */
export const en = {
  nav: 'Overview',
} as const;
