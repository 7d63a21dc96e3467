import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { day, hour } from '../clock.ts';
import { isStrongroomError } from '../errors.ts';
import type { Tenant } from '../handles.ts';
import { openWorld, type World } from '../jobs/test-support.ts';
import { secretsFromRing } from '../secrets-ring.ts';
import {
  bodyDigest,
  createIdempotency,
  type FreshRequest,
  type IdempotentRequest,
  type Replay,
} from './idempotency.ts';

let world: World;
let tenant: Tenant;
beforeAll(async () => {
  world = await openWorld();
});
beforeEach(async () => {
  tenant = await world.newTenant();
});
afterAll(() => world.close());

const answer = { status: 201, headers: { location: '/api/documents/doc_one' }, body: '{"id":"doc_one"}' };
let keys = 0;
function request(more: Partial<IdempotentRequest> = {}): IdempotentRequest {
  keys += 1;
  return { caller: 'user_one', route: 'createThing', key: `key-${keys}`, bodyDigest: bodyDigest('a'), ...more };
}
const begin = (asked: IdempotentRequest, where: Tenant | null = tenant) =>
  world.background.idempotency.begin(where, asked);
const fresh = (got: FreshRequest | Replay): FreshRequest => {
  expect(got.fresh).toBe(true);
  return got as FreshRequest;
};
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error) => (isStrongroomError(error) ? `${error.kind} ${error.code}` : String(error)),
  );

describe.each(['a company', 'the control database'])('idempotency keys in %s', (place) => {
  const where = () => (place === 'a company' ? tenant : null);

  it('gives the same answer again', async () => {
    const asked = request();
    await fresh(await begin(asked, where())).complete(answer);
    expect(await begin(asked, where())).toEqual({ fresh: false, replay: answer });
    expect(await begin(asked, where())).toEqual({ fresh: false, replay: answer });
  });

  it('has one effect of 50 at once', async () => {
    const asked = request();
    let effects = 0;
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, async () => {
        const got = await begin(asked, where());
        if (!got.fresh) return got.replay;
        effects += 1;
        await new Promise((resolve) => setTimeout(resolve, 30));
        await got.complete(answer);
        return answer;
      }),
    );
    expect(effects).toBe(1);
    for (const result of results) {
      if (result.status === 'fulfilled') expect(result.value).toEqual(answer);
      else expect(result.reason).toMatchObject({ kind: 'conflict', code: 'idempotency_running' });
    }
    expect(await begin(asked, where())).toEqual({ fresh: false, replay: answer });
  });

  it('refuses the key for another body, and says so while the first is running, too', async () => {
    const asked = request();
    const other = { ...asked, bodyDigest: bodyDigest('b') };
    const first = fresh(await begin(asked, where()));
    expect(await code(begin(other, where()))).toBe('invalid idempotency_key_reused');
    expect(await code(begin(asked, where()))).toBe('conflict idempotency_running');
    await first.complete(answer);
    expect(await code(begin(other, where()))).toBe('invalid idempotency_key_reused');
  });

  it('is of one caller and one route', async () => {
    const asked = request();
    await fresh(await begin(asked, where())).complete(answer);
    fresh(await begin({ ...asked, caller: 'user_two' }, where()));
    fresh(await begin({ ...asked, route: 'createOther' }, where()));
  });

  it('is free again when nothing happened', async () => {
    const asked = request();
    await fresh(await begin(asked, where())).release();
    fresh(await begin({ ...asked, bodyDigest: bodyDigest('b') }, where()));
  });

  it('keeps neither key nor body, and answers with secrets sealed', async () => {
    const asked = request({ key: 'a-key-that-nobody-sees', sealed: true, bodyDigest: bodyDigest('secret body') });
    await fresh(await begin(asked, where())).complete({ ...answer, body: '{"token":"a-token-in-the-answer"}' });
    const db = where() === null ? world.control : tenant.db;
    const rows = JSON.stringify(await (db as Tenant['db']).read.selectFrom('idempotency').selectAll().execute());
    for (const hidden of ['a-key-that-nobody-sees', 'a-token-in-the-answer', asked.bodyDigest, 'user_one']) {
      expect(rows).not.toContain(hidden);
    }
    expect(await begin(asked, where())).toMatchObject({ replay: { body: '{"token":"a-token-in-the-answer"}' } });
  });

  it('ends after 24 hours, and the row goes', async () => {
    const asked = request();
    await fresh(await begin(asked, where())).complete(answer);
    world.advance(day - hour);
    expect((await begin(asked, where())).fresh).toBe(false);
    world.advance(hour);
    await fresh(await begin({ ...asked, bodyDigest: bodyDigest('b') }, where())).complete(answer);
    world.advance(day + hour);
    await world.worker.settle();
    const db = where() === null ? world.control : tenant.db;
    expect(await (db as Tenant['db']).read.selectFrom('idempotency').selectAll().execute()).toEqual([]);
  });
});

describe('a request that', () => {
  const quick = () =>
    createIdempotency({
      control: world.control,
      secrets: secretsFromRing([{ id: 'test', bytes: Buffer.alloc(32, 7) }]),
      clock: world.clock,
      lease: 150,
    });
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('died leaves its key after a short lease, and its late end changes nothing', async () => {
    const asked = request();
    const dead = fresh(await begin(asked));
    expect(await code(begin(asked))).toBe('conflict idempotency_running');
    world.advance(31_000);
    const next = fresh(await begin(asked));
    await dead.complete({ ...answer, body: 'late' });
    await dead.release();
    expect(await code(begin(asked))).toBe('conflict idempotency_running');
    await next.complete(answer);
    expect(await begin(asked)).toEqual({ fresh: false, replay: answer });
  });

  it('takes longer than its lease keeps it', async () => {
    const idempotency = quick();
    const asked = request();
    const slow = fresh(await idempotency.begin(tenant, asked));
    await pause(500);
    expect(await code(idempotency.begin(tenant, asked))).toBe('conflict idempotency_running');
    await slow.complete(answer);
    expect(await idempotency.begin(tenant, asked)).toEqual({ fresh: false, replay: answer });
  });

  it.each(['', 'a b', 'x'.repeat(256), 'ä', 'a\nb', '\0'])('sends the key %j is refused', async (key) => {
    expect(await code(begin(request({ key })))).toBe('invalid idempotency_key_invalid');
  });
});

it('digests parts so that no two requests look alike', () => {
  expect(bodyDigest('a', 'b')).not.toBe(bodyDigest('ab'));
  expect(bodyDigest('a', 'b')).not.toBe(bodyDigest('a,b'));
  expect(bodyDigest('a', '')).not.toBe(bodyDigest('a'));
});
