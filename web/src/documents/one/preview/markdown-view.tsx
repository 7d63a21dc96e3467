/**
 * Markdown drawn as elements of ours around text. Addresses are shown as text: nothing of a document leads anywhere or
 * loads anything.
 */
import { Fragment, type ReactNode, useMemo } from 'react';
import { useTexts } from '../../../kit/texts.ts';
import { documentTexts } from '../texts.ts';
import { type Block, parseMarkdown, type Span } from './markdown.ts';
import classes from './preview.module.css';

export function MarkdownView({ text }: { text: string }) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return (
    <div className={classes.prose}>
      <Blocks blocks={blocks} />
    </div>
  );
}

function Blocks({ blocks }: { blocks: readonly Block[] }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: the text never changes while it is shown.
  return blocks.map((block, at) => <Fragment key={at}>{drawn(block)}</Fragment>);
}

/** One below the level in the file: the page has its own first heading. */
const headings = ['h2', 'h3', 'h4', 'h5', 'h6', 'h6'] as const;

function drawn(block: Block): ReactNode {
  switch (block.kind) {
    case 'heading': {
      const Heading = headings[block.level - 1]!;
      return (
        <Heading>
          <Spans spans={block.spans} />
        </Heading>
      );
    }
    case 'paragraph':
      return (
        <p>
          <Spans spans={block.spans} />
        </p>
      );
    case 'code':
      return (
        <pre>
          <code>{block.text}</code>
        </pre>
      );
    case 'quote':
      return (
        <blockquote>
          <Blocks blocks={block.blocks} />
        </blockquote>
      );
    case 'list': {
      const List = block.ordered ? 'ol' : 'ul';
      return (
        <List>
          {block.items.map((spans, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the text never changes while it is shown.
            <li key={at}>
              <Spans spans={spans} />
            </li>
          ))}
        </List>
      );
    }
    case 'table':
      return <Table head={block.head} rows={block.rows} />;
    default:
      return <hr />;
  }
}

function Table({ head, rows }: Omit<Extract<Block, { kind: 'table' }>, 'kind'>) {
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          {head.map((spans, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the text never changes while it is shown.
            <th key={at} scope="col">
              <Spans spans={spans} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((cells, line) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the text never changes while it is shown.
          <tr key={line}>
            {cells.map((spans, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the text never changes while it is shown.
              <td key={at}>
                <Spans spans={spans} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Spans({ spans }: { spans: readonly Span[] }) {
  const t = useTexts(documentTexts);
  return spans.map((span, at) => {
    const key = `${at} ${span.kind}`;
    switch (span.kind) {
      case 'text':
        return <Fragment key={key}>{span.text}</Fragment>;
      case 'code':
        return <code key={key}>{span.text}</code>;
      case 'strong':
        return (
          <strong key={key}>
            <Spans spans={span.spans} />
          </strong>
        );
      case 'em':
        return (
          <em key={key}>
            <Spans spans={span.spans} />
          </em>
        );
      case 'image':
        return (
          <span key={key} className={classes.address}>
            {t('preview.pictureOf', { alt: span.text === '' ? span.address : span.text })}
          </span>
        );
      default:
        return (
          <span key={key}>
            {span.text} <span className={classes.address}>({span.address})</span>
          </span>
        );
    }
  });
}
