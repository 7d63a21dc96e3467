/** Types of files as people call them. The server filters by exactly one type. */
import type { IconName } from '../../kit/icon.tsx';
import type { Translate } from '../../kit/texts.ts';
import type { DocumentsKey } from '../texts.ts';

export const knownTypes = {
  'application/pdf': 'PDF',
  'image/png': 'PNG',
  'image/jpeg': 'JPEG',
  'text/plain': 'TXT',
  'text/csv': 'CSV',
  'text/markdown': 'Markdown',
  'message/rfc822': 'E-mail',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'Word',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'Excel',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'PowerPoint',
  'application/zip': 'ZIP',
} as const satisfies Record<string, string>;

/** A short word for a type; of one that we do not know, its own name. Names of formats are the same everywhere. */
export function typeTitle(t: Translate<DocumentsKey>, type: string): string {
  if (type === 'message/rfc822') return t('type.mail');
  const known: Record<string, string> = knownTypes;
  return known[type] ?? type;
}

export function typeIcon(type: string): IconName {
  if (type === 'message/rfc822') return 'mail';
  return type === 'text/csv' || type.includes('spreadsheet') ? 'table' : 'document';
}
