/**
 * Names of files inside of an archive: whatever unpacks it, on whatever system, makes one file for each document, in the
 * folder that was chosen and nowhere else.
 *
 * - No separator, no sign that Windows reserves, nothing invisible that steers; no device of Windows; no dot or space at
 *   the end, which Windows would drop; in NFC; at most 255 bytes, which is what most file systems take.
 * - No two names that are one where case does not count: the later ones are numbered, `name (2).ext`.
 */

const longest = 255;
const reserved = /[<>:"/\\|?*]/g;
const steering = /[\p{Cc}\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const device = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])[ ]*(?:\.|$)/i;

/** The name of one document as that of a file. */
export function safeName(filename: string): string {
  const plain = filename.toWellFormed().normalize('NFC').replace(reserved, '_').replace(steering, '_');
  const ended = plain.replace(/[. ]+$/, '').replace(/^ +/, '');
  const named = ended === '' ? 'document' : ended;
  return device.test(named) ? `_${named}` : named;
}

/** As they stand in the archive, in the order of `filenames`. */
export function archiveNames(filenames: readonly string[]): string[] {
  const taken = new Set<string>();
  const next = new Map<string, number>();
  return filenames.map((filename) => {
    const { base, ending } = parted(safeName(filename));
    const stem = sameAs(base + ending);
    let name = fitting(base, '', ending);
    for (let number = next.get(stem) ?? 2; taken.has(sameAs(name)); number += 1) {
      name = fitting(base, ` (${number})`, ending);
      next.set(stem, number + 1);
    }
    taken.add(sameAs(name));
    return name;
  });
}

/** What is equal here is one file on Windows and on a Mac. */
const sameAs = (name: string): string => name.normalize('NFKC').toUpperCase().toLowerCase();

function parted(name: string): { base: string; ending: string } {
  const dot = name.lastIndexOf('.');
  const ending = dot > 0 && name.length - dot <= 20 ? name.slice(dot) : '';
  return { base: name.slice(0, name.length - ending.length), ending };
}

/** Cut between two characters, so that all of it has at most 255 bytes. */
function fitting(base: string, number: string, ending: string): string {
  let room = longest - Buffer.byteLength(number + ending);
  let kept = '';
  for (const character of base) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    kept += character;
  }
  const cut = kept.length < base.length ? kept.replace(/[. ]+$/, '') : kept;
  return `${cut}${number}${ending}`;
}
