/** English texts of settings of the company. */
export const en = {
  nav: 'Company settings',
} as const;
