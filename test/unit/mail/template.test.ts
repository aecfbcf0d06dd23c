import { describe, expect, test } from 'vitest';
import { cutAtWord, opening } from '#src/mail/excerpt.ts';
import { fill, open, parseTemplate, sectionOf, type Values } from '#src/mail/template.ts';
import { loadTemplates } from '#src/mail/templates.ts';

const escape = (text: string) => text.toUpperCase();
const filled = (source: string, values: Values<{ readonly slot?: never; readonly name: string }>) =>
  fill(parseTemplate(source), values, { escape });

describe('a template', () => {
  test('escapes values, takes fragments as they are, and leaves slots open', () => {
    expect(filled('a {{x}} {{{y}}} {{z}}!', { x: 'b', y: 'c', z: open({ name: 's' }) })).toEqual([
      'a B c ',
      { name: 's' },
      '!',
    ]);
  });

  test('repeats sections, sees outer names inside, and drops empty ones', () => {
    const values = { items: [{ name: 'a' }, { name: 'b' }], sign: '-', none: [], no: false, yes: true };
    expect(
      filled(
        '{{#items}}{{name}}{{sign}}{{/items}}{{#none}}x{{/none}}{{#no}}x{{/no}}{{#yes}}y{{/yes}}{{^no}}z{{/no}}',
        values,
      ),
    ).toEqual(['A-B-yz']);
  });

  test('a section tag alone on its line takes the line with it', () => {
    expect(filled('a\n{{#yes}}\nb\n{{/yes}}\nc', { yes: true })).toEqual(['a\nb\nc']);
  });

  test('what is put in is never read as template', () => {
    expect(filled('{{x}}', { x: '{{y}}' })).toEqual(['{{Y}}']);
  });

  test.each(['{{#a}}', '{{/a}}', '{{#a}}{{/b}}'])('%s does not parse', (source) =>
    expect(() => parseTemplate(source)).toThrow(SyntaxError),
  );

  test('a name without a value, and a section that is not there, are bugs that are thrown', () => {
    expect(() => filled('{{x}}', {})).toThrow('no value for x');
    expect(() => sectionOf(parseTemplate('a'), 'x')).toThrow('no section x');
  });

  test('those of the mails are compiled once', async () => {
    expect(await loadTemplates('digest')).toBe(await loadTemplates('digest'));
  });
});

describe("an abstract's opening", () => {
  test.each([
    ['Short. Text.', 100, 'Short. Text.'],
    ['One sentence here. Another one that is long.', 30, 'One sentence here.'],
    [
      'We follow Smith et al. They did it. Then more came to be done.',
      40,
      'We follow Smith et al. They did it.',
    ],
    ['It took e.g. Five days of work. More of it followed.', 36, 'It took e.g. Five days of work.'],
    ['Why? Because the rest of this text goes on for long.', 30, 'Why? Because the rest of this…'],
    ['One very long sentence without any end in sight, or so', 30, 'One very long sentence…'],
  ])('%j within %d is %j', (text, limit, expected) => expect(opening(text, limit, 'en')).toBe(expected));

  test('a word that is too long is cut between characters as readers see them', () => {
    expect(cutAtWord(`${'👩‍🔬'.repeat(20)}`, 13)).toBe('👩‍🔬👩‍🔬…');
    expect(cutAtWord('長'.repeat(50), 10)).toBe(`${'長'.repeat(9)}…`);
  });
});
