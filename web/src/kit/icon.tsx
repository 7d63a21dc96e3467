/** The icons: strokes on a grid of 24, decorative (what they mean stands beside them or in a label). */
const paths = {
  alert:
    'M12 9v4M12 17h.01M10.3 4 2.6 17.500A2 2 0 0 0 4.300 20.500h15.400a2 2 0 0 0 1.700-3L13.700 4a2 2 0 0 0-3.400 0Z',
  audit: 'M9 5H7a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V7a2 2 0 0 0-2-2h-2M9 3h6v4H9zM9 12h6M9 16h4',
  back: 'M5 12h14M5 12l6 6M5 12l6-6',
  basket: 'M3 7a2 2 0 0 1 2-2h4l3 3h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2Z',
  building: 'M3 21h18M5 21V5a2 2 0 0 1 2-2h6a2 2 0 0 1 2 2v16M15 9h2a2 2 0 0 1 2 2v10M9 7h2M9 11h2M9 15h2',
  calendar: 'M4 7a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM16 3v4M8 3v4M4 11h16',
  cards: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z',
  check: 'M5 12l5 5L20 7',
  chevron: 'M6 9l6 6 6-6',
  'chevron-up': 'M6 15l6-6 6 6',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 7v5l3 3',
  close: 'M18 6 6 18M6 6l12 12',
  columns: 'M4 5h16v14H4zM12 5v14',
  copy: 'M8 10a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2zM16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2',
  dashboard: 'M4 4h6v8H4zM4 16h6v4H4zM14 12h6v8h-6zM14 4h6v4h-6z',
  database:
    'M4 6c0 1.700 3.600 3 8 3s8-1.300 8-3-3.600-3-8-3-8 1.300-8 3ZM4 6v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3',
  document: 'M14 3v4a1 1 0 0 0 1 1h4M17 21H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h7l5 5v11a2 2 0 0 1-2 2ZM9 13h6M9 17h4',
  dots: 'M5 12h.01M12 12h.01M19 12h.01',
  download: 'M4 17v2a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-2M7 11l5 5 5-5M12 4v12',
  edit: 'M4 20h4L18.500 9.500a2.800 2.800 0 0 0-4-4L4 16ZM13.500 6.500l4 4',
  external: 'M12 6H6a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-6M11 13l9-9M15 4h5v5',
  filter: 'M4 4h16v2.200a2 2 0 0 1-.600 1.400L15 12v7l-6 2v-8.500L4.500 7.600A2 2 0 0 1 4 6.200Z',
  help: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 17h.01M12 13.500a1.500 1.500 0 0 1 1-1.500 2.600 2.600 0 1 0-3-4',
  history: 'M12 8v4l2 2M3.050 11a9 9 0 1 1 .500 4M3 20v-5h5',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 9h.01M11 12h1v4h1',
  key: 'M16.600 3.400a4.900 4.900 0 0 0-6.700 6.700L3 17v4h4l1-1v-2h2v-2h2l1.900-1.900a4.900 4.900 0 0 0 2.700-10.700ZM16 8h.01',
  laptop: 'M3 19h18M5 7a1 1 0 0 1 1-1h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1z',
  link: 'M9 15l6-6M11 6l.500-.500a5 5 0 0 1 7 7L18 13M13 18l-.500.500a5 5 0 0 1-7-7L6 11',
  lock: 'M5 13a2 2 0 0 1 2-2h10a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2zM8 11V7a4 4 0 1 1 8 0v4M12 16h.01',
  mail: 'M3 7a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM3 7l9 6 9-6',
  menu: 'M4 6h16M4 12h16M4 18h16',
  minus: 'M5 12h14',
  moon: 'M12 3h.400a7.500 7.500 0 0 0 7.900 12.400A9 9 0 1 1 12 3Z',
  move: 'M12 19H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2h4l3 3h7a2 2 0 0 1 2 2v3M16 19h6M19 16l3 3-3 3',
  offline:
    'M12 18h.01M9.200 15.200a4 4 0 0 1 5.600 0M6.300 12.300a8 8 0 0 1 3.700-2.100M13.500 9.500a8 8 0 0 1 4.200 2.800M3.500 9.500a12 12 0 0 1 4.100-2.700M10.800 5.600A12 12 0 0 1 20.500 9.500M3 3l18 18',
  pause: 'M7 5h3v14H7zM14 5h3v14h-3z',
  people:
    'M9 3.500a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM3 21v-2a4 4 0 0 1 4-4h4a4 4 0 0 1 4 4v2M16 3.600a4 4 0 0 1 0 7.800M21 21v-2a4 4 0 0 0-3-3.900',
  person: 'M12 3.500a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM6 21v-2a4 4 0 0 1 4-4h4a4 4 0 0 1 4 4v2',
  play: 'M7 4v16l13-8Z',
  plug: 'M9.800 6 18 14.200a5.500 5.500 0 0 1-8 0 5.500 5.500 0 0 1 0-8M4 20l3.500-3.500M15 4l-3.500 3.500M20 9l-3.500 3.500',
  plus: 'M12 5v14M5 12h14',
  refresh: 'M20 11A8.100 8.100 0 0 0 4.500 9M4 5v4h4M4 13a8.100 8.100 0 0 0 15.500 2m.500 4v-4h-4',
  restore: 'M9 14l-4-4 4-4M5 10h11a4 4 0 1 1 0 8h-1',
  search: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM21 21l-6-6',
  server:
    'M3 6a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v3a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM3 15a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v3a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM7 7.500h.01M7 16.500h.01',
  settings: 'M4 6h8M16 6h4M4 12h2M10 12h10M4 18h11M19 18h1M12 4v4M6 10v4M15 16v4',
  share:
    'M6 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM18 3a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM18 15a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8.700 10.700l6.600-3.400M8.700 13.300l6.600 3.400',
  'sign-out': 'M14 8V6a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h7a2 2 0 0 0 2-2v-2M9 12h12l-3-3M18 15l3-3',
  sort: 'M8 9l4-4 4 4M16 15l-4 4-4-4',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM3 12h1M12 3v1M20 12h1M12 20v1M5.600 5.600l.700.700M18.400 5.600l-.700.700M17.700 17.700l.700.700M6.300 17.700l-.700.700',
  switch: 'M7 10h14l-4-4M17 14H3l4 4',
  table: 'M4 5h16v14H4zM4 10h16M10 5v14',
  tag: 'M7.500 7.500h.01M3 6v5.200a2 2 0 0 0 .600 1.400l7.700 7.700a2.400 2.400 0 0 0 3.400 0l5.600-5.600a2.400 2.400 0 0 0 0-3.400l-7.700-7.700A2 2 0 0 0 11.200 3H6a3 3 0 0 0-3 3Z',
  trash: 'M4 7h16M10 11v6M14 11v6M5 7l1 12a2 2 0 0 0 2 2h8a2 2 0 0 0 2-2l1-12M9 7V4a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v3',
  upload: 'M4 17v2a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-2M7 9l5-5 5 5M12 4v12',
  vault:
    'M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2ZM12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 8V6M12 18v-2M8 12H6M18 12h-2',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18, flip = false }: { name: IconName; size?: number; flip?: boolean }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
      style={{ flexShrink: 0, ...(flip ? { transform: 'scaleX(-1)' } : {}) }}
    >
      <path d={paths[name]} />
    </svg>
  );
}
