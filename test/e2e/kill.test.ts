import { afterAll, beforeAll, expect, test } from 'vitest';
import { CASES, prepare } from '#root/bench/chaos/cases.ts';
import { judge } from '#root/bench/chaos/judge.ts';
import { openStage, type Stage } from '#root/bench/chaos/stage.ts';
import { waitFor } from '../support/wait.ts';

/** One case of the chaos table in every run of the tests; `npm run chaos` has the others. */
let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ backend: 'postgres', connections: 3 });
});
afterAll(() => stage.destroy());

test('a worker killed -9 with messages on the wire leaves at most one in doubt per connection, and loses none', async () => {
  const one = CASES.find((case_) => case_.name === 'kill -9 at content (37th)');
  if (!one) throw new Error('the case is gone from the table');
  const readers = 80;
  await prepare(stage, one, readers);
  const open = async () => {
    await stage.askForSweep();
    const verdict = await judge(stage);
    return (verdict.states.sent ?? 0) + (verdict.states.unknown ?? 0) === readers && verdict;
  };
  const end = await one.play({
    stage,
    readers,
    kills: 1,
    random: () => 0.5,
    taken: async () => void (await waitFor('the rest', open, 90_000)),
  });
  const verdict = await judge(stage);
  expect(verdict).toMatchObject({ readers, lost: 0, silentlyRepeated: 0, doubled: 0, forbidden: 0 });
  expect(verdict.ambiguous).toBeGreaterThan(0);
  expect(verdict.ambiguous).toBeLessThanOrEqual(end.bound);
  const report: { uncertain: { messageId: string }[] } = JSON.parse(await stage.run('ledger', '--json'));
  const told = new Set(report.uncertain.map(({ messageId }) => messageId));
  const twice = [...Map.groupBy(stage.sink.messages, ({ messageId }) => messageId)].filter(
    ([, messages]) => messages.length > 1,
  );
  expect(twice.map(([messageId]) => messageId).filter((id) => !told.has(id))).toEqual([]);
  expect(told.size).toBe(verdict.ambiguous);
}, 120_000);
