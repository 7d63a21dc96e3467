/** Mail as text: who, to whom, when, about what, what is attached (by name), and the body. Attachments stay closed. */
import PostalMime, { type Address, type Email } from 'postal-mime';
import type { Made } from './program.ts';
import { Refusal } from './refusal.ts';
import { madeOfText } from './text-parts.ts';

/** Names and subjects stand on one line each, and are not longer than this. */
const longest = 1_000;
const oneLine = (text: string) =>
  text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, longest);

function addressText(address: Address): string {
  if (address.group !== undefined) return `${address.name}: ${address.group.map(addressText).join(', ')};`;
  return address.name === '' ? address.address : `${address.name} <${address.address}>`;
}

function headers(mail: Email): string[] {
  const lists: [string, readonly Address[]][] = [
    ['From', mail.from === undefined ? [] : [mail.from]],
    ['To', mail.to ?? []],
    ['Cc', mail.cc ?? []],
  ];
  const lines = lists
    .filter(([, addresses]) => addresses.length > 0)
    .map(([name, addresses]) => `${name}: ${oneLine(addresses.slice(0, 200).map(addressText).join(', '))}`);
  if (mail.date !== undefined) lines.push(`Date: ${oneLine(mail.date)}`);
  if (mail.subject !== undefined) lines.push(`Subject: ${oneLine(mail.subject)}`);
  for (const { filename, mimeType, content } of mail.attachments.slice(0, 200)) {
    const size = typeof content === 'string' ? content.length : content.byteLength;
    lines.push(`Attachment: ${oneLine(filename ?? 'unnamed')} (${oneLine(mimeType)}, ${size} bytes)`);
  }
  return lines;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
const breaks = /^\/?(p|div|br|tr|li|h[1-6]|table|ul|ol|blockquote|hr)$/;

/** The words of a page, without anything of its markup. One pass; what is not closed ends it. */
export function wordsOfHtml(html: string): string {
  let text = '';
  for (let at = 0; at < html.length; ) {
    const open = html.indexOf('<', at);
    text += html.slice(at, open < 0 ? html.length : open);
    if (open < 0) break;
    const name = /^\/?[a-z0-9]*/i.exec(html.slice(open + 1, open + 20))![0].toLowerCase();
    if (breaks.test(name)) text += '\n';
    const close = name === 'script' || name === 'style' ? closing(html, open, name) : html.indexOf('>', open);
    if (close < 0) break;
    at = close + 1;
  }
  return text
    .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name: string) => entities[name]!)
    .replace(/&#(\d{1,7});/g, (_, number: string) =>
      Number(number) <= 0x10ffff ? String.fromCodePoint(Number(number)) : '',
    )
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function closing(html: string, from: number, name: string): number {
  const end = new RegExp(`</${name}`, 'gi');
  end.lastIndex = from;
  const found = end.exec(html);
  return found === null ? -1 : html.indexOf('>', found.index);
}

export async function makeOfMail(input: Uint8Array): Promise<Made> {
  const mail = await PostalMime.parse(input, {
    maxNestingDepth: 50,
    maxRfc822NestingDepth: 3,
    maxHeadersSize: 1024 * 1024,
  });
  if (mail.headers.length === 0) throw new Refusal('unreadable');
  const body = mail.text ?? (mail.html === undefined ? '' : wordsOfHtml(mail.html));
  return madeOfText(`${headers(mail).join('\n')}\n\n${body}`);
}
