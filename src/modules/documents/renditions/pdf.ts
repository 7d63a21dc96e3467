/**
 * PDFs: the first pages as pictures, and the text of all of them, pages apart by form feeds. Nothing of the file runs:
 * scripts, actions and embedded files are not looked at. What takes too long is left out and said to be.
 */
import { fileURLToPath } from 'node:url';
import * as canvasModule from '@napi-rs/canvas';
import { createIsomorphicCanvasFactory, getDocumentProxy } from 'unpdf';
import { processorMilliseconds } from '../../../kernel/isolated/processor-time.ts';
import { bounds, limits } from './kinds.ts';
import { cutText } from './plain-text.ts';
import type { Made } from './program.ts';
import { Refusal } from './refusal.ts';

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
type Page = Awaited<ReturnType<Pdf['getPage']>>;
type Parts = Made['parts'][number][];

/** What pdf.js reads beside itself. As a folder: it takes no address of a file in Node. */
const files = fileURLToPath(new URL('.', import.meta.resolve('pdfjs-dist/package.json')));
const began = performance.now();
/** Whether this part of the time that a try has is over, of the processor's or of the clock's. */
function isLate(part: number): boolean {
  return (
    processorMilliseconds() > limits.processorMilliseconds * part ||
    performance.now() - began > limits.milliseconds * part
  );
}

async function opened(input: Uint8Array): Promise<Pdf> {
  // The type of the factory is that of browsers; what it draws on is the canvas of this process.
  const CanvasFactory = (await createIsomorphicCanvasFactory(async () => canvasModule)) as unknown as object;
  try {
    // pdf.js keeps the array: it must not be part of a larger one.
    return await getDocumentProxy(new Uint8Array(input), {
      CanvasFactory,
      enableXfa: false,
      // The fonts and maps of our packages, not those of the machine: on a server there may be none.
      useSystemFonts: false,
      disableFontFace: true,
      standardFontDataUrl: `${files}standard_fonts/`,
      cMapUrl: `${files}cmaps/`,
      wasmUrl: `${files}wasm/`,
      maxImageSize: bounds.pixels,
      verbosity: 0,
    });
  } catch (error) {
    throw (error as Error).name === 'PasswordException' ? new Refusal('encrypted') : error;
  }
}

/** A page on white, no larger than the bounds. */
async function drawn(page: Page): Promise<canvasModule.Canvas> {
  const { width, height } = page.getViewport({ scale: 1 });
  if (!(width > 0 && height > 0)) throw new Refusal('unreadable');
  const scale = Math.min(bounds.width / width, bounds.height / height, 4);
  const viewport = page.getViewport({ scale });
  const canvas = canvasModule.createCanvas(
    Math.max(1, Math.floor(viewport.width)),
    Math.max(1, Math.floor(viewport.height)),
  );
  const canvasContext = canvas.getContext('2d') as unknown as CanvasRenderingContext2D;
  await page.render({ canvas: canvas as unknown as HTMLCanvasElement, canvasContext, viewport }).promise;
  return canvas;
}

function thumbnailOf(canvas: canvasModule.Canvas): canvasModule.Canvas {
  const scale = Math.min(1, bounds.thumbnail / Math.max(canvas.width, canvas.height));
  const small = canvasModule.createCanvas(
    Math.max(1, Math.round(canvas.width * scale)),
    Math.max(1, Math.round(canvas.height * scale)),
  );
  const context = small.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(canvas, 0, 0, small.width, small.height);
  return small;
}

async function pictures(pdf: Pdf): Promise<Parts> {
  const parts: Parts = [];
  for (let number = 1; number <= Math.min(pdf.numPages, bounds.pages); number += 1) {
    if (number > 1 && isLate(0.4)) break;
    const page = await pdf.getPage(number);
    const canvas = await drawn(page);
    page.cleanup();
    if (number === 1) {
      const bytes = await thumbnailOf(canvas).encode('webp', 75);
      parts.push({ role: 'thumbnail', page: 1, type: 'image/webp', bytes });
    }
    parts.push({ role: 'preview', page: number, type: 'image/webp', bytes: await canvas.encode('webp', 82) });
  }
  return parts;
}

async function textOf(page: Page): Promise<string> {
  const { items } = await page.getTextContent();
  let text = '';
  for (const item of items) if ('str' in item) text += item.hasEOL ? `${item.str}\n` : item.str;
  return text;
}

async function text(pdf: Pdf): Promise<{ bytes: Uint8Array; truncated: boolean }> {
  const pages: string[] = [];
  let size = 0;
  let truncated = pdf.numPages > bounds.textPages;
  for (let number = 1; number <= Math.min(pdf.numPages, bounds.textPages); number += 1) {
    truncated ||= size > bounds.text || isLate(0.7);
    if (truncated) break;
    const page = await pdf.getPage(number);
    const one = await textOf(page);
    page.cleanup();
    pages.push(one);
    size += one.length;
  }
  const cut = cutText(pages.join('\f'), bounds.text);
  return { bytes: cut.bytes, truncated: truncated || cut.truncated };
}

export async function makeOfPdf(input: Uint8Array): Promise<Made> {
  const pdf = await opened(input);
  if (pdf.numPages < 1) throw new Refusal('empty');
  const parts = await pictures(pdf);
  const read = await text(pdf);
  parts.push({ role: 'text', page: 1, type: 'text/plain', bytes: read.bytes });
  return { pages: pdf.numPages, truncated: read.truncated, parts };
}
