import { extract } from 'letterparser';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { createDigestComposer } from '#src/digests/compose.ts';
import { rawOf } from '#src/mail/content.ts';
import type { Paper } from '#src/papers/paper.ts';
import * as samples from '#test/support/mail-samples.ts';
import { composed, expectSoundMessage } from '#test/support/sound-message.ts';
import { collapse, visibleText } from '#test/support/visible-text.ts';

/** A digest of one paper, read back by two parsers. */
async function digestOf(fields: Partial<Paper>) {
  const paper = samples.samplePaper(1, fields);
  const reader = samples.sampleRecipient();
  const composer = createDigestComposer({
    papersByIds: samples.papersByIds([paper]),
    recipientsByIds: samples.recipientsByIds([reader]),
    links: samples.openLinks,
    sender: samples.sender,
    now: () => samples.NOW,
  });
  const row = samples.sampleDigest([paper]);
  const message = composed((await composer.compose([row])).get(row.id));
  expectSoundMessage(message);
  const mail = await PostalMime.parse(rawOf(message));
  expect(extract(rawOf(message).toString('latin1')).subject).toBe(mail.subject);
  return {
    head: rawOf(message).toString('latin1').split('\r\n\r\n', 1)[0] ?? '',
    subject: mail.subject ?? '',
    text: collapse(mail.text ?? ''),
    shown: visibleText(mail.html ?? ''),
  };
}

/** What occurs in real titles and abstracts, and what a reader is to see of it. */
const HAZARDS: readonly (readonly [what: string, source: string, shown: string])[] = [
  ['angle brackets', 'Is a < b > c?', 'Is a < b > c?'],
  ['an open bracket', 'better (p < 0.01 for all', 'better (p < 0.01 for all'],
  ['ampersands and references', 'R&D &amp; &#60;', 'R&D &amp; &#60;'],
  ['quotes', `"It's" 'all' “you” need`, `"It's" 'all' “you” need`],
  ['markup', '<b onclick="x">bold</b><!-- c -->', '<b onclick="x">bold</b><!-- c -->'],
  ['an escaped sign', '50\\% of R\\&D', '50% of R&D'],
  ['braces', '{BERT} and {…}', '{BERT} and {…}'],
  ['places of a template', '{{papers}} {title} {{{x}}}', '{{papers}} {title} {{{x}}}'],
  ['an unknown command', 'our \\gpt model', 'our \\gpt model'],
  ['an accent', 'na\\"{\\i}ve', 'naïve'],
  ['a formula', 'in $O(n^2)$ for $\\alpha$', 'in O(n²) for α'],
  ['a formula that needs two lines', '$\\frac{a}{b}$', '$\\frac{a}{b}$'],
  ['prices', 'from $5 to $10', 'from $5 to $10'],
  ['a subscript', 'H_{2}O at 10^{-3}', 'H₂O at 10⁻³'],
  ['a star', 'AtP*: fast', 'AtP*: fast'],
  [
    'an address glued to words',
    'code:https://a.example/x?b=1&c=2,see',
    'code:https://a.example/x?b=1&c=2,see',
  ],
  ['From at the start', 'From Words to Worlds', 'From Words to Worlds'],
  ['a dot at the start', '.NET for agents', '.NET for agents'],
  ['a line of dots', '.\r\n.\r\nQUIT', '. . QUIT'],
  ['a boundary', '--=_x and --', '--=_x and --'],
  ['a header', 'A\r\nBcc: x@example.org\r\n\r\nB', 'A Bcc: x@example.org B'],
  ['an encoded word', '=?UTF-8?B?Qg==?= =3D', '=?UTF-8?B?Qg==?= =3D'],
  ['emoji', '🦜 Parrots 👩‍🔬 and 🇯🇵', '🦜 Parrots 👩‍🔬 and 🇯🇵'],
  ['Chinese and Japanese', '大規模言語模型、入門。', '大規模言語模型、入門。'],
  ['combining marks', 'Poincare\u0301 and a\u0323\u0302', 'Poincaré and ậ'],
  ['right to left', 'מודלים של שפה (GPT)', 'מודלים של שפה (GPT)'],
  ['an override of direction', 'safe \u202etxt.exe', 'safe txt.exe'],
  ['control characters', 'a\u0000b\u0007c\u001b[31m', 'abc[31m'],
  ['σ-GPTs', 'σ-GPTs: A New Approach', 'σ-GPTs: A New Approach'],
];

describe('text hazards', () => {
  test.each(HAZARDS)('%s in a title: %j', async (_, source, shown) => {
    const { subject, text, shown: html } = await digestOf({ title: source, abstract: 'Short.' });
    expect(subject).toBe(shown);
    expect(text).toContain(`1. ${shown} `);
    expect(html).toContain(shown);
  });

  test('all of them in an abstract, shown alike in both parts', async () => {
    for (const [what, source, shown] of HAZARDS) {
      const { text, shown: html } = await digestOf({ title: 'T', abstract: `Begin ${source} end.` });
      expect(text, what).toContain(`Begin ${shown} end.`);
      expect(html, what).toContain(`Begin ${shown} end.`);
    }
  });

  test('a line of 1,900 characters, with a space and without', async () => {
    const words = 'word '.repeat(379) + 'ended';
    const { text, shown } = await digestOf({ abstract: words });
    expect(text).toMatch(/(?:word ){50,}word…/);
    expect(shown).toMatch(/(?:word ){50,}word…/);
    const long = await digestOf({ title: 'x'.repeat(1_900), abstract: '語'.repeat(1_900) });
    expect(long.subject).toMatch(/^x{50,89}…$/);
    expect(long.shown).toMatch(/x{300,}…/);
    expect(long.text.replaceAll(' ', '')).toMatch(/語{300,}…/);
  });
});

describe('a subject', () => {
  test.each([
    ['σ-GPTs: A New Approach to Autoregressive Models with a Title of Some Length for a Fold'],
    ['🦜🔗 Chains, 👩‍🔬 Labs and 🇯🇵 Flags in a Title that Does Not Fit into One Encoded Word'],
    ['大規模言語模型における推論能力の評価と改善に関する包括的な研究とその応用について'],
    ['Averyveryveryveryveryveryveryveryveryveryveryveryveryveryverylongwordwithoutanyspaceinit'],
  ])('%s is folded to short lines and reads as it was', async (title) => {
    const { head, subject } = await digestOf({ title });
    expect(subject).toBe(title);
    const field = /^Subject: .*(?:\r\n[ \t].*)*/m.exec(head)?.[0] ?? '';
    for (const line of field.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
    for (const [word] of field.matchAll(/=\?[^?]+\?[BQ]\?[^?]*\?=/g))
      expect(word.length).toBeLessThanOrEqual(75);
  });
});
