/** Files that were made to hurt whoever opens them, small as they are sent: for tests. */
import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib';

/** Deflate data of `times` times 16 MiB of spaces: each block stands for itself, so that it is made once. */
function deflateBomb(times: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(16 * 1024 * 1024, ' '), { finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([...Array.from({ length: times }, () => block), deflateRawSync(Buffer.alloc(0))]);
}

interface Entry {
  readonly name: string;
  readonly data: Buffer;
  readonly deflated?: Buffer;
  readonly size?: number;
}

/** A zip archive of these entries, stored or deflated as they come. */
export function zip(entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, deflated, size = data.length } of entries) {
    const body = deflated ?? data;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(deflated === undefined ? 0 : 8, 4);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(body.length, 14);
    fields.writeUInt32LE(size >>> 0, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), body]);
    const central = Buffer.concat([
      Buffer.from('PK\x01\x02\x14\x00', 'latin1'),
      fields,
      Buffer.alloc(10),
      Buffer.alloc(4),
      Buffer.from(name),
    ]);
    central.writeUInt32LE(offset, 42);
    locals.push(local);
    directory.push(central);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, listed, Buffer.from('PK\x05\x06'), end]);
}

const xml = (text: string) => Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
const packaging = 'http://schemas.openxmlformats.org/package/2006';
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument';

export function docx(document: Omit<Entry, 'name'>): Buffer {
  const types = `<Types xmlns="${packaging}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`;
  const link = `<Relationship Id="r1" Type="${office}" Target="word/document.xml"/>`;
  return zip([
    { name: '[Content_Types].xml', data: xml(types) },
    { name: '_rels/.rels', data: xml(`<Relationships xmlns="${packaging}/relationships">${link}</Relationships>`) },
    { name: 'word/document.xml', ...document },
  ]);
}

/** A word document whose text unpacks to 2 GiB. */
export const docxBomb = () =>
  docx({ data: Buffer.alloc(0), deflated: deflateBomb(128), size: 128 * 16 * 1024 * 1024 - 1 });

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A picture of one bit a pixel, all black; large ones are small files. */
export function png(width: number, height: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const rows = deflateSync(Buffer.alloc(Math.min(height, 20_000) * (1 + Math.ceil(width / 8))));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PDF of these objects, numbered from 1; the first is the catalog. */
export function pdf(objects: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')];
  const offsets: number[] = [];
  let at = parts[0]!.length;
  for (const [index, object] of objects.entries()) {
    offsets.push(at);
    const text = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), Buffer.from(object), Buffer.from('\nendobj\n')]);
    parts.push(text);
    at += text.length;
  }
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  const tail = `xref\n0 ${size}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${at}\n%%EOF`;
  return Buffer.concat([...parts, Buffer.from(tail)]);
}

const catalog = '<< /Type /Catalog /Pages 2 0 R >>';
const page = (more: string) => `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] ${more} >>`;
const stream = (dictionary: string, bytes: Buffer) =>
  Buffer.concat([
    Buffer.from(`<< ${dictionary} /Length ${bytes.length} >>\nstream\n`),
    bytes,
    Buffer.from('\nendstream'),
  ]);

/** A PDF with one line on each of its pages. */
export function pdfOf(lines: readonly string[]): Buffer {
  const kids = lines.map((_, index) => `${4 + index * 2} 0 R`).join(' ');
  const font = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';
  const pages = lines.flatMap((line, index) => [
    page(`/Contents ${5 + index * 2} 0 R /Resources << /Font << /F1 3 0 R >> >>`),
    stream('', Buffer.from(`BT /F1 18 Tf 10 40 Td (${line}) Tj ET`)),
  ]);
  return pdf([catalog, `<< /Type /Pages /Kids [${kids}] /Count ${lines.length} >>`, font, ...pages]);
}

export const pdfs: Readonly<Record<string, () => Buffer>> = {
  'a tree of pages that contains itself': () => pdf([catalog, '<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 1000000 >>']),
  'no pages': () => pdf([catalog, '<< /Type /Pages /Kids [] /Count 0 >>']),
  'cut in the middle': () => pdfOf(['whole']).subarray(0, 150),
  'a name and nothing else': () => Buffer.from('%PDF-1.7\nnot a PDF at all'),
  'an encrypted one': () => {
    const locked = pdfOf(['secret']).toString('latin1');
    const zeros = '0'.repeat(64);
    const encrypt = `/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <${zeros}> /U <${zeros}> >> /ID [<00> <00>]`;
    return Buffer.from(locked.replace('/Root 1 0 R', `/Root 1 0 R ${encrypt}`), 'latin1');
  },
};

/** A page whose content unpacks to gigabytes. */
export function pdfBomb(): Buffer {
  const raw = deflateBomb(128);
  const wrapped = Buffer.concat([Buffer.from([0x78, 0x9c]), raw, Buffer.alloc(4)]);
  return pdf([
    catalog,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    page('/Contents 4 0 R'),
    stream('/Filter /FlateDecode', wrapped),
  ]);
}

/** A form that draws itself. */
export function pdfLoop(): Buffer {
  const form = '/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Resources << /XObject << /X 5 0 R >> >>';
  return pdf([
    catalog,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    page('/Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >>'),
    stream('', Buffer.from('/X Do')),
    stream(form, Buffer.from('/X Do /X Do /X Do')),
  ]);
}

/** Mail in mail in mail. */
export function deepMail(depth: number): Buffer {
  const opened = Array.from(
    { length: depth },
    (_, level) => `Content-Type: multipart/mixed; boundary="b${level}"\n\n--b${level}\n`,
  );
  return Buffer.from(`From: a@example.com\nSubject: deep\n${opened.join('')}Content-Type: text/plain\n\nbottom\n`);
}
