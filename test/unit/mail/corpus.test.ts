import { extract } from 'letterparser';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { createDigestComposer } from '#src/digests/compose.ts';
import { rawOf } from '#src/mail/content.ts';
import { displayText } from '#src/mail/display-text.ts';
import { LANGUAGES } from '#src/mail/languages.ts';
import type { Paper } from '#src/papers/paper.ts';
import { corpusPapers } from '#test/support/corpus.ts';
import { htmlFaults } from '#test/support/mail-html.ts';
import * as samples from '#test/support/mail-samples.ts';
import { hasSharedData, skipNote } from '#test/support/shared-data.ts';
import { composed, expectSoundMessage } from '#test/support/sound-message.ts';
import { collapse, visibleText } from '#test/support/visible-text.ts';

const PER_DIGEST = 10;
/** Validating HTML is dear: one digest in so many. */
const VALIDATED = 25;
describe.skipIf(!hasSharedData)(`every paper of the real data in a digest${skipNote}`, () => {
  test('is sound, reads the same in two parsers and both parts, and stays small', {
    timeout: 120_000,
  }, async () => {
    let batch: Paper[] = [];
    let digests = 0;
    let papers = 0;
    let largest = 0;
    for await (const paper of corpusPapers()) {
      batch.push(paper);
      if (batch.length < PER_DIGEST) continue;
      largest = Math.max(largest, await checkDigest(batch, digests));
      digests += 1;
      papers += batch.length;
      batch = [];
    }
    if (batch.length > 0) await checkDigest(batch, digests);
    expect(papers + batch.length).toBeGreaterThan(6_000);
    expect(largest).toBeLessThan(80_000);
  });
});

async function checkDigest(papers: readonly Paper[], number: number): Promise<number> {
  const language = LANGUAGES[number % LANGUAGES.length] as string;
  const reader = samples.sampleRecipient({ language, images: true, sections: number % 2 === 1 });
  const composer = createDigestComposer({
    papersByIds: samples.papersByIds(papers),
    recipientsByIds: samples.recipientsByIds([reader]),
    links: samples.openLinks,
    sender: samples.sender,
    now: () => samples.NOW,
  });
  const row = samples.sampleDigest(papers);
  const message = composed((await composer.compose([row])).get(row.id));
  expectSoundMessage(message);
  const mail = await PostalMime.parse(rawOf(message));
  const other = extract(rawOf(message).toString('latin1'));
  expect(other.subject).toBe(mail.subject);
  expect(other.text?.replace(/\r\n/g, '\n').trim()).toBe(mail.text?.trim());
  const html = mail.html ?? '';
  const shown = visibleText(html);
  const plain = collapse(mail.text ?? '');
  for (const { title, abstract } of papers) {
    const cleaned = collapse(displayText(title));
    expect(shown).toContain(cleaned);
    expect(plain).toContain(cleaned);
    // Both parts open the abstract with the same words.
    const opening = collapse(displayText(abstract)).slice(0, 60);
    expect(shown).toContain(opening);
    expect(plain).toContain(opening);
  }
  if (number % VALIDATED === 0) expect(await htmlFaults(html)).toEqual([]);
  return Buffer.byteLength(html);
}
