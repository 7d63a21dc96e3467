/** Actors of tests, apart from everything that needs a test runner. */
import type { Actor } from '../../src/kernel/handles.ts';

export const testOperatorActor: Actor = { kind: 'operator', id: 'oper_00000000000000000000000000', sessionId: 'test' };
