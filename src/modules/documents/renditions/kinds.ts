/**
 * What can be shown of a document without its own program: by its media type, a kind, and by its kind, what is made.
 * Everything else is `undefined` here: it is kept and given back, and nothing of it is ever opened.
 */

export const kinds = ['pdf', 'image', 'text', 'mail', 'docx'] as const;
export type Kind = (typeof kinds)[number];

/** What is made of a version. `preview` of a PDF is one part a page. */
export const roles = ['thumbnail', 'preview', 'text'] as const;
export type Role = (typeof roles)[number];

export const madeOf: Readonly<Record<Kind, readonly Role[]>> = {
  pdf: ['thumbnail', 'preview', 'text'],
  image: ['thumbnail', 'preview'],
  text: ['preview', 'text'],
  mail: ['preview', 'text'],
  docx: ['preview', 'text'],
};

const KiB = 1024;
const MiB = 1024 * KiB;

/** Bounds of what is made. */
export const bounds = {
  /** Edge of a thumbnail, and width and height of a page or picture, in pixels. */
  thumbnail: 320,
  width: 1_200,
  height: 1_600,
  /** Pages of a PDF that are drawn, and those whose text is read. */
  pages: 5,
  textPages: 2_000,
  /** Pixels of a picture that is opened at all. */
  pixels: 100_000_000,
  previewText: 256 * KiB,
  text: 4 * MiB,
} as const;

/** Largest file that is opened to be shown, by kind. Of text the beginning is enough. */
export const largest: Readonly<Record<Kind, number>> = {
  pdf: 64 * MiB,
  image: 64 * MiB,
  mail: 64 * MiB,
  docx: 32 * MiB,
  text: Number.POSITIVE_INFINITY,
};

/** How long one try may take (ms), what it may hold and give. */
export const limits = {
  processorMilliseconds: 20_000,
  milliseconds: 50_000,
  memoryBytes: 640 * MiB,
  outputBytes: 32 * MiB,
} as const;

const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const pictures = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/tiff', 'image/avif']);
const texts = new Set([
  'application/json',
  'application/xml',
  'application/x-ndjson',
  'application/yaml',
  'application/x-yaml',
  'application/javascript',
  'application/sql',
  'application/toml',
  'application/x-sh',
  // Markup with scripts in it: shown as what it says, never drawn.
  'image/svg+xml',
]);
/** Text in an encoding that its first bytes do not tell is kept as bytes: its name then says what it is. */
const textEndings = /\.(txt|log|md|markdown|csv|tsv|json|xml|ya?ml)$/i;

export function kindOf(mimeType: string, filename: string): Kind | undefined {
  if (mimeType === 'application/pdf') return 'pdf';
  if (pictures.has(mimeType)) return 'image';
  if (mimeType === 'message/rfc822') return 'mail';
  if (mimeType === docx) return 'docx';
  if (mimeType.startsWith('text/') || texts.has(mimeType) || /\+(json|xml|yaml)$/.test(mimeType)) return 'text';
  return mimeType === 'application/octet-stream' && textEndings.test(filename) ? 'text' : undefined;
}
