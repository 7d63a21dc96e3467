/** Colours, sizes and type. One accent for companies, another for operators, so that nobody mistakes where he is. */
import {
  type CSSVariablesResolver,
  createTheme,
  type MantineColorScheme,
  type MantineColorSchemeManager,
  type MantineColorsTuple,
} from '@mantine/core';
import { onStored, store, stored } from '../kit/stored.ts';

const blue: MantineColorsTuple = [
  '#eef4ff',
  '#dbe6fd',
  '#b6cbf8',
  '#8dadf2',
  '#6a92ec',
  '#4a78e3',
  '#3063d4',
  '#2559c7',
  '#1d49a6',
  '#163985',
];
const plum: MantineColorsTuple = [
  '#f9f0fb',
  '#efdcf3',
  '#dfb8e7',
  '#cd90d9',
  '#bd6ecc',
  '#aa52bb',
  '#973fa8',
  '#863596',
  '#6e2a7c',
  '#561f61',
];
const system = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";

const base = {
  colors: { blue, plum },
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  fontFamily: system,
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Consolas, 'Liberation Mono', monospace",
  headings: { fontFamily: system, fontWeight: '650' },
  defaultRadius: 'md',
  focusRing: 'auto',
  respectReducedMotion: true,
  cursorType: 'pointer',
} as const;

export const companyTheme = createTheme({ ...base, primaryColor: 'blue' });
export const operatorTheme = createTheme({ ...base, primaryColor: 'plum' });

/** Greys that read at 4.5:1 in both schemes, where Mantine's own do not. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#566070',
    '--mantine-color-error': '#b3261e',
    '--mantine-color-placeholder': '#697384',
    '--strongroom-ground': '#f6f7f9',
    '--strongroom-line': '#e0e4ea',
  },
  dark: {
    '--mantine-color-body': '#16191d',
    '--mantine-color-dimmed': '#a3adba',
    '--mantine-color-error': '#ff9b93',
    '--mantine-color-placeholder': '#96a0ae',
    '--strongroom-ground': '#101215',
    '--strongroom-line': '#2d333b',
  },
});

const isScheme = (text: string | undefined): text is MantineColorScheme =>
  text === 'light' || text === 'dark' || text === 'auto';

let unsubscribe: (() => void) | undefined;

/** Keeps the choice where the script in `index.html` reads it before the first paint. */
export const colorSchemeManager: MantineColorSchemeManager = {
  get: (otherwise) => {
    const kept = stored('theme');
    return isScheme(kept) ? kept : otherwise;
  },
  set: (scheme) => store('theme', scheme),
  subscribe: (onUpdate) => {
    unsubscribe = onStored(() => {
      const kept = stored('theme');
      if (isScheme(kept)) onUpdate(kept);
    });
  },
  unsubscribe: () => unsubscribe?.(),
  clear: () => store('theme', undefined),
};
