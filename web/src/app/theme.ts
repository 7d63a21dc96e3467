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
/** Deep enough for white letters on the seventh, as filled buttons have them. */
const red: MantineColorsTuple = [
  '#fff3f2',
  '#ffe2e0',
  '#ffc6c2',
  '#ffa49e',
  '#fb827b',
  '#ee5f58',
  '#d8413b',
  '#c22b26',
  '#a4211d',
  '#861a17',
];
const teal: MantineColorsTuple = [
  '#eafaf4',
  '#cff2e4',
  '#a0e4ca',
  '#6bd3ad',
  '#41c294',
  '#22a67b',
  '#148c66',
  '#0c7655',
  '#085f44',
  '#064a35',
];
const dark: MantineColorsTuple = [
  '#d8dde4',
  '#b6bec9',
  '#929cab',
  '#68727f',
  '#464e59',
  '#363d47',
  '#282e36',
  '#1b2026',
  '#14181c',
  '#0e1114',
];
const system = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";

const base = {
  colors: { blue, plum, red, teal, dark },
  // One shade in both schemes: the letters on it are chosen once.
  primaryShade: 7,
  autoContrast: true,
  luminanceThreshold: 0.18,
  fontFamily: system,
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Consolas, 'Liberation Mono', monospace",
  headings: { fontFamily: system, fontWeight: '650' },
  defaultRadius: 'md',
  focusRing: 'auto',
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: { Badge: { styles: { root: { textTransform: 'none' } } } },
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
  },
  dark: {
    '--mantine-color-dimmed': '#a3adba',
    '--mantine-color-error': '#ff9b93',
    '--mantine-color-placeholder': '#96a0ae',
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
