/**
 * Keyset cursors that only this installation can make: the position is readable, an HMAC over it and over the list it
 * belongs to keeps it from being edited, or used on another list, order, filter, tenant or by another person.
 */
import { timingSafeEqual } from 'node:crypto';
import { invalidField } from './errors.ts';
import type { Secrets } from './secrets.ts';

export type Position = readonly (string | number)[];

export interface Cursors {
  /** Text for `next_cursor`, or null at the end. `list` names tenant, list, order and filters. */
  write(list: string, position: Position | null): string | null;
  /** @throws invalid where the text was cut, edited, or made for another list. */
  read(list: string, text: string | undefined): Position | undefined;
}

export function createCursors(secrets: Pick<Secrets, 'digest'>): Cursors {
  const sign = (list: string, body: string) => secrets.digest('cursor', `${list}\n${body}`).slice(0, 32);
  return {
    write(list, position) {
      if (position === null) return null;
      const body = Buffer.from(JSON.stringify(position)).toString('base64url');
      return `${body}.${sign(list, body)}`;
    },
    read(list, text) {
      if (text === undefined) return undefined;
      const dot = text.indexOf('.');
      const body = text.slice(0, Math.max(0, dot));
      const given = Buffer.from(text.slice(dot + 1));
      const expected = Buffer.from(sign(list, body));
      if (dot < 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw invalidField('cursor', 'This is not a cursor of this list with this order and these filters.');
      }
      return JSON.parse(Buffer.from(body, 'base64url').toString()) as Position;
    },
  };
}
