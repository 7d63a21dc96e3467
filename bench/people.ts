/** The story up to a signed-in HR admin, so that cases can measure what comes after. */
import { Agent, request } from 'node:http';
import * as story from '../test/support/story.ts';
import type { Running } from './server.ts';

export interface Member {
  readonly company: string;
  readonly username: string;
  readonly token: string;
}

/** One request; anything but a success throws. */
export async function call(url: string, method: string, path: string, token: string | null, body?: unknown) {
  const answer = await story.call(url, method, path, { token, body });
  if (answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
  // biome-ignore lint/suspicious/noExplicitAny: cases pick the members they need
  return answer.body as any;
}

export async function setUpOperator(server: Running): Promise<string> {
  return (await story.setUpOperator(server.url, server.setupToken!)).access_token;
}

let companies = 0;

/** A new company with a signed-in HR admin. */
export async function newCompany(server: Running, operator: string): Promise<Member> {
  companies += 1;
  const company = await story.newCompany(server.url, operator, `Company ${companies}`);
  return { company: company.id, username: company.admin.username, token: company.admin.token };
}

export async function upload(url: string, token: string, filename: string, bytes: Uint8Array): Promise<void> {
  await story.uploadFile(url, token, filename, bytes);
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/**
 * One request through Node's own client, for what is timed: on two cores, what a richer client takes would be counted as
 * the product's. Anything but a success throws.
 */
export function send(url: string, method: string, path: string, token: string | null, input: object) {
  const body = JSON.stringify(input);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  // biome-ignore lint/suspicious/noExplicitAny: cases pick the members they need
  return new Promise<any>((resolve, reject) => {
    const sent = request(url + path, { method, agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece) => {
        text += piece;
      });
      answer.once('end', () => {
        if (answer.statusCode! < 300) resolve(JSON.parse(text));
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 300)}`));
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

export async function login(url: string, member: Member): Promise<string> {
  const { username, company } = member;
  return (await send(url, 'POST', '/api/auth/login', null, { username, company, password: story.password }))
    .access_token;
}
