/**
 * Text of any kind, as text: CSV as a table, Markdown formatted, mail with its head, everything else as it stands. What
 * a file says is never read as markup.
 */
import { Button, Checkbox, SegmentedControl, Text } from '@mantine/core';
import { type ReactNode, useMemo, useState } from 'react';
import type { Document } from '../../../../../src/modules/documents/contract.ts';
import { useFormats } from '../../../kit/formats.ts';
import { ProblemAlert } from '../../../kit/problem.tsx';
import { useTexts } from '../../../kit/texts.ts';
import { documentTexts } from '../texts.ts';
import { parseCsv } from './csv.ts';
import { MarkdownView } from './markdown-view.tsx';
import classes from './preview.module.css';
import { type Ready, useRendition } from './rendition.ts';

export interface ViewerProps {
  readonly document: Document;
  readonly version: number;
  readonly ready: Ready;
}

type View = 'plain' | 'table' | 'markdown' | 'mail' | 'prose';

export function viewOf(kind: string, { filename, mime_type }: Pick<Document, 'filename' | 'mime_type'>): View {
  if (kind === 'mail') return 'mail';
  if (kind === 'docx') return 'prose';
  if (/\.(csv|tsv)$/i.test(filename) || /^text\/(csv|tab-separated-values)/.test(mime_type)) return 'table';
  if (/\.(md|markdown)$/i.test(filename) || mime_type.startsWith('text/markdown')) return 'markdown';
  return 'plain';
}

export function TextViewer({ document, ready }: ViewerProps) {
  const t = useTexts(documentTexts);
  const view = viewOf(ready.kind, document);
  const [source, setSource] = useState(false);
  const [wrap, setWrap] = useState(true);
  const text = typeof ready.content === 'string' ? ready.content : '';
  const rich = view === 'table' || view === 'markdown';
  const plain = view === 'plain' || (rich && source);
  return (
    <div className={classes.frame}>
      {rich || plain ? (
        <div className={classes.bar} role="toolbar" aria-label={t('preview.title')}>
          {rich ? (
            <SegmentedControl
              size="xs"
              value={source ? 'source' : 'rich'}
              onChange={(value) => setSource(value === 'source')}
              aria-label={t('preview.as')}
              data={[
                { value: 'rich', label: t(view === 'table' ? 'preview.table' : 'preview.formatted') },
                { value: 'source', label: t('preview.source') },
              ]}
            />
          ) : null}
          <span className={classes.spread} />
          {plain ? (
            <Checkbox
              size="xs"
              label={t('preview.wrap')}
              checked={wrap}
              onChange={({ currentTarget }) => setWrap(currentTarget.checked)}
            />
          ) : null}
        </div>
      ) : null}
      {ready.truncated ? <p className={classes.notice}>{t('preview.truncated')}</p> : null}
      <Scroller name={document.filename}>
        {text.trim() === '' ? (
          <Text c="dimmed">{t('preview.emptyText')}</Text>
        ) : (
          <Content view={plain ? 'plain' : view} text={text} wrap={wrap} />
        )}
      </Scroller>
    </div>
  );
}

function Scroller({ name, children }: { name: string; children: ReactNode }) {
  const t = useTexts(documentTexts);
  return (
    <section
      className={`${classes.scroller} ${classes.paper}`}
      aria-label={t('preview.content', { name })}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard.
      tabIndex={0}
    >
      {children}
    </section>
  );
}

function Content({ view, text, wrap }: { view: View; text: string; wrap: boolean }) {
  switch (view) {
    case 'table':
      return <CsvTable text={text} />;
    case 'markdown':
      return <MarkdownView text={text} />;
    case 'mail':
      return <Mail text={text} />;
    case 'prose':
      return <div className={`${classes.prose} ${classes.words}`}>{text}</div>;
    default:
      return <pre className={wrap ? `${classes.plain} ${classes.wrapped}` : classes.plain}>{text}</pre>;
  }
}

const rowsAtOnce = 200;

function CsvTable({ text }: { text: string }) {
  const t = useTexts(documentTexts);
  const [drawn, setDrawn] = useState(rowsAtOnce);
  const rows = useMemo(() => parseCsv(text), [text]);
  const columns = useMemo(() => rows.reduce((most, row) => Math.max(most, row.length), 0), [rows]);
  const [head = [], ...body] = rows;
  const places = Array.from({ length: columns }, (_, at) => at);
  return (
    <>
      <Text size="xs" c="dimmed" mb="xs">
        {t('preview.rows', { count: body.length, columns })}
      </Text>
      <table className={classes.table}>
        <thead>
          <tr>
            {places.map((at) => (
              <th key={at} scope="col">
                {head[at] === undefined || head[at] === '' ? t('preview.column', { number: at + 1 }) : head[at]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.slice(0, drawn).map((row, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the text never changes while it is shown.
            <tr key={line}>
              {places.map((at) => (
                <td key={at}>{row[at] ?? ''}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {drawn < body.length ? (
        <Button mt="md" variant="default" size="xs" onClick={() => setDrawn(drawn + rowsAtOnce)}>
          {t('preview.moreRows')}
        </Button>
      ) : null}
    </>
  );
}

/** What the server writes of a mail: lines of the head, an empty line, the words. */
function Mail({ text }: { text: string }) {
  const [head = '', ...rest] = text.split('\n\n');
  const lines = head.split('\n').map((line) => ({ line, colon: line.indexOf(': ') }));
  if (lines.some(({ colon }) => colon < 1)) return <div className={`${classes.prose} ${classes.words}`}>{text}</div>;
  return (
    <div className={classes.prose}>
      <dl className={classes.mail}>
        {lines.map(({ line, colon }) => (
          <Line key={line} name={line.slice(0, colon)} value={line.slice(colon + 2)} />
        ))}
      </dl>
      <div className={classes.words}>{rest.join('\n\n')}</div>
    </div>
  );
}

/** As the server names them. */
const mailLines = ['From', 'To', 'Cc', 'Date', 'Subject', 'Attachment'] as const;

function Line({ name, value }: { name: string; value: string }) {
  const t = useTexts(documentTexts);
  const formats = useFormats();
  const known = mailLines.find((line) => line === name);
  const sent = name === 'Date' && !Number.isNaN(Date.parse(value)) ? formats.time(value) : undefined;
  return (
    <>
      <dt>{known === undefined ? name : t(`mail.${known}`)}</dt>
      <dd title={sent === undefined ? undefined : value}>{sent ?? value}</dd>
    </>
  );
}

/** The words of a PDF, page after page, for those who read or copy them. */
export function PdfText({ document, version }: Omit<ViewerProps, 'ready'>) {
  const t = useTexts(documentTexts);
  const shown = useRendition({ document, version, part: 'text' });
  const text =
    shown.data?.status === 'ready' && typeof shown.data.content === 'string' ? shown.data.content : undefined;
  const pages = (text ?? '').split('\f');
  const nothing = text !== undefined && text.trim() === '';
  return (
    <Scroller name={document.filename}>
      <ProblemAlert error={shown.data === undefined ? shown.error : null} />
      {nothing ? <Text c="dimmed">{t('preview.emptyText')}</Text> : null}
      {nothing || text === undefined ? null : (
        <div className={classes.prose}>
          {pages.map((words, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: pages have their order and nothing else.
            <section key={at} aria-label={t('preview.pageImage', { page: at + 1, name: document.filename })}>
              <Text size="xs" c="dimmed">
                {t('preview.page')} {at + 1}
              </Text>
              <p className={classes.words}>{words}</p>
            </section>
          ))}
        </div>
      )}
    </Scroller>
  );
}
