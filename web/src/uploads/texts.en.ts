/** English texts of uploads. */
export const en = {
  nav: 'Uploads',
} as const;
