/**
 * Charts of the overview, loaded when it is opened. Each is drawn for those who see, and stands once more as a table
 * for those who listen; every bar has its number beside it, so colour and length never stand alone.
 */
import { Text, VisuallyHidden } from '@mantine/core';
import { Fragment } from 'react';
import classes from './charts.module.css';

export interface Row {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly shown: string;
}

export interface Bar extends Row {
  readonly tone?: 'good' | 'warn' | 'bad';
}

export interface BarChartProps {
  readonly title: string;
  /** Heads of the table: what is counted, and the number. */
  readonly heads: readonly [string, string];
  readonly bars: readonly Bar[];
  /** What a full bar is. Default: the largest value. */
  readonly full?: number;
}

export function BarChart({ title, heads, bars, full }: BarChartProps) {
  const most = Math.max(full ?? 0, ...bars.map(({ value }) => value), 1);
  return (
    <figure className={classes.figure}>
      <div className={classes.bars} aria-hidden="true">
        {bars.map(({ id, label, value, shown, tone }) => (
          <Fragment key={id}>
            <Text size="sm" className={classes.label ?? ''} title={label}>
              <bdi>{label}</bdi>
            </Text>
            <div className={classes.track}>
              {value === 0 ? null : (
                <div className={classes.bar} data-tone={tone} style={{ inlineSize: `${(value / most) * 100}%` }} />
              )}
            </div>
            <Text size="sm" className={classes.value ?? ''}>
              {shown}
            </Text>
          </Fragment>
        ))}
      </div>
      <AsTable title={title} heads={heads} rows={bars} />
    </figure>
  );
}

/** The same for those who listen. */
function AsTable({ title, heads, rows }: Pick<BarChartProps, 'title' | 'heads'> & { rows: readonly Row[] }) {
  return (
    <VisuallyHidden>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">{heads[0]}</th>
            <th scope="col">{heads[1]}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, label, shown }) => (
            <tr key={id}>
              <th scope="row">
                <bdi>{label}</bdi>
              </th>
              <td>{shown}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </VisuallyHidden>
  );
}

export interface DayChartProps {
  readonly title: string;
  readonly heads: readonly [string, string];
  /** One for each day, the oldest first. */
  readonly days: readonly Row[];
  /** What the highest column stands for. */
  readonly most: string;
}

/** A column for each day; the first and the last are named below, the number of each is told on hover. */
export function DayChart({ title, heads, days, most }: DayChartProps) {
  const highest = Math.max(...days.map(({ value }) => value), 1);
  return (
    <figure className={classes.figure}>
      <div aria-hidden="true">
        <Text size="xs" c="dimmed" className={classes.most ?? ''}>
          {most}
        </Text>
        <div className={classes.days}>
          {days.map(({ id, label, value, shown }) => (
            <div key={id} className={classes.day} title={`${label}: ${shown}`}>
              {value === 0 ? null : (
                <div className={classes.column} style={{ blockSize: `${(value / highest) * 100}%` }} />
              )}
            </div>
          ))}
        </div>
        <div className={classes.ends}>
          <Text size="xs" c="dimmed">
            {days[0]?.label}
          </Text>
          <Text size="xs" c="dimmed">
            {days.at(-1)?.label}
          </Text>
        </div>
      </div>
      <AsTable title={title} heads={heads} rows={days} />
    </figure>
  );
}
