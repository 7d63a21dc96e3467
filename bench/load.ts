/** Load from a process of its own, so that the generator does not share a thread with what it measures. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface LoadResult {
  /** Answers a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
}

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Tokens are given to connections in turn. */
  readonly tokens?: readonly string[];
  readonly method?: 'GET' | 'POST';
  readonly body?: string;
  readonly contentType?: string;
  /** Makes the body unique per request: each `%N%` in it becomes a number. */
  readonly numbered?: boolean;
}

/** Runs the load and waits for its figures. @throws where an answer was no success: its speed would mean nothing */
export async function load(options: Load): Promise<LoadResult> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('load-process.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin!.end(JSON.stringify(options));
  let text = '';
  for await (const chunk of child.stdout! as AsyncIterable<Buffer>) text += chunk.toString();
  const result = JSON.parse(text) as LoadResult;
  if (result.errors > 0) throw new Error(`${result.errors} requests to ${options.url} failed`);
  return result;
}
