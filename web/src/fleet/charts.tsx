/**
 * Charts of the overview, loaded when it is opened. Each is drawn for those who see, and stands once more as a table
 * for those who listen; every bar has its number beside it, so colour and length never stand alone.
 */
import { Text, VisuallyHidden } from '@mantine/core';
import { Fragment } from 'react';
import classes from './charts.module.css';

export interface Bar {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly shown: string;
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
            {bars.map(({ id, label, shown }) => (
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
    </figure>
  );
}
