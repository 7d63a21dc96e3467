/** English texts of the documents workspace. */
export const en = {
  nav: 'Documents',
} as const;
