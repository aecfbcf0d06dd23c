import { afterAll, beforeAll, expect, it } from 'vitest';
import { isoDate } from '#src/database/ids.ts';
import type { SourceItem } from '#src/papers/paper.ts';
import { createPaperStore } from '#src/papers/paper-store.ts';
import { pollSource, sourceStatuses } from '#src/papers/poll.ts';
import type { SourceRequest } from '#src/papers/source.ts';
import { createSourceMemory } from '#src/papers/source-memory-store.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { createTestWeb } from '#test/support/web.ts';

let db: TestDatabase;
let web: Awaited<ReturnType<typeof createTestWeb>>;
/** What each source answers when it is polled; an error is thrown. */
const answers: Record<string, SourceItem | Error> = {};
const now = () => new Date('2026-06-02T13:00:00Z');
const names = ['huggingface', 'arxiv', 'biorxiv', 'medrxiv'];

beforeAll(async () => {
  db = await createTestDatabase();
  const memory = createSourceMemory(db);
  web = await createTestWeb(db.database, {
    deps: { now, sourceStatuses: () => sourceStatuses({ memory, now }, names) },
  });
  const sources = new Map(
    names.map((name) => [
      name,
      {
        name,
        async *read(_request: SourceRequest) {
          const answer = answers[name];
          if (answer instanceof Error) throw answer;
          if (answer) yield answer;
        },
      },
    ]),
  );
  const listing = {
    source: 'huggingface',
    listedOn: isoDate('2026-06-02'),
    kind: 'daily' as const,
    section: '',
    observedAt: now(),
    paper: { sourceId: '1', arxivId: '2606.00001', title: 'T', abstract: 'A' },
  };
  answers['huggingface'] = { type: 'listing', listing };
  const message = `status 503: <script>alert(1)</script> ${'x'.repeat(500)}`;
  answers['arxiv'] = { type: 'fault', fault: { where: 'https://rss.arxiv.org/atom/cs.AI', message } };
  answers['biorxiv'] = new Error('connect ECONNREFUSED 10.0.0.7:5432');
  const deps = { sources, store: createPaperStore(db), memory, now };
  for (const name of names.slice(0, 3)) await pollSource(deps, name);
});
afterAll(async () => {
  await web.app.close();
  await db.destroy();
});

const rowOf = (page: string, name: string) =>
  page.split('<tr>').find((row) => row.startsWith(`<th scope="row">${name}`)) ?? '';

it('shows each source as it is: well, failing, broken here, never read', async () => {
  const { statusCode, body } = await web.app.inject('/sources');
  expect(statusCode).toBe(200);
  expect(body).toContain('3 of 4 need attention');
  expect(rowOf(body, 'huggingface')).toContain('<td>well</td><td>2026-06-02 13:00</td><td>0 h</td>');
  const arxiv = rowOf(body, 'arxiv');
  expect(arxiv).toContain('<strong>failing</strong></td><td>never</td>');
  expect(arxiv).toContain('status 503: &#60;script&#62;');
  expect(arxiv).not.toContain('<script>');
  expect(arxiv.length).toBeLessThan(600);
  expect(rowOf(body, 'biorxiv')).toContain('failing');
  expect(body).not.toContain('10.0.0.7');
  expect(rowOf(body, 'medrxiv')).toContain('not read yet');
  expect((await web.app.inject('/')).body).toContain('href="/sources"');
});
