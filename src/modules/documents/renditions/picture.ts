/** Pictures, re-made: no metadata, upright, the first frame alone, at most so many pixels. */
import sharp from 'sharp';
import { bounds } from './kinds.ts';
import type { Made } from './program.ts';

// Only the formats that are asked for: nothing that reads other files, draws markup or runs another program.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadPng',
    'VipsForeignLoadJpeg',
    'VipsForeignLoadNsgif',
    'VipsForeignLoadWebp',
    'VipsForeignLoadTiff',
    'VipsForeignLoadHeif',
  ],
});
sharp.cache(false);
sharp.concurrency(1);

async function scaled(input: Uint8Array, width: number, height: number, quality: number): Promise<Uint8Array> {
  return sharp(input, { limitInputPixels: bounds.pixels, sequentialRead: true, failOn: 'error', pages: 1 })
    .autoOrient()
    .resize({ width, height, fit: 'inside', withoutEnlargement: true })
    .webp({ quality })
    .toBuffer();
}

export async function makeOfPicture(input: Uint8Array): Promise<Made> {
  const preview = await scaled(input, bounds.width, bounds.height, 82);
  // From the preview: the file is decoded once.
  const thumbnail = await scaled(preview, bounds.thumbnail, bounds.thumbnail, 75);
  return {
    pages: null,
    truncated: false,
    parts: [
      { role: 'thumbnail', page: 1, type: 'image/webp', bytes: thumbnail },
      { role: 'preview', page: 1, type: 'image/webp', bytes: preview },
    ],
  };
}
