import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { displayText } from '#src/mail/display-text.ts';
import { hostileText } from '#test/support/hostile-text.ts';

describe('light TeX becomes Unicode where it is certain', () => {
  test.each([
    ['na\\"{\\i}ve', 'naïve'],
    ['na\\"ive Bayes', 'naïve Bayes'],
    ['(\\"Ust\\"un et al.)', '(Üstün et al.)'],
    ["Poincar\\'e and Erd\\H{o}s", 'Poincaré and Erdős'],
    ["Poincar{\\'e}, Fr\\'{e}chet", 'Poincaré, Fréchet'],
    ['M{\\"o}bius, G\\"{o}del', 'Möbius, Gödel'],
    ['\\v{S}koda and Fran\\c{c}ois, {\\c c}', 'Škoda and François, ç'],
    ['S{\\o}ren, \\L{}ukasiewicz, Stra{\\ss}e', 'Søren, Łukasiewicz, Straße'],
    ['50\\% of R\\&D in \\#1, a\\_b, \\$5', '50% of R&D in #1, a_b, $5'],
    ['an $\\alpha$-divergence', 'an α-divergence'],
    ['\\beta-VAE', 'β-VAE'],
    ['10^{-3} and $10^{-3}$ and 10^5', '10⁻³ and 10⁻³ and 10⁵'],
    ['H_{2}O', 'H₂O'],
    ['$O(n^2)$, $O(\\log n)$', 'O(n²), O(log n)'],
    ['$x \\in \\mathbb{R}^d$', 'x ∈ ℝᵈ'],
    ['$2\\times$ faster, $\\sim 5\\%$', '2× faster, ∼ 5%'],
    ['$\\mathcal{O}(1)$', 'O(1)'],
    ['\\emph{very} {\\em deep} \\textbf{nets}', 'very deep nets'],
    ['\\href{https://a.example}{code}', 'code'],
    ["``quoted'' words", '“quoted” words'],
    ['the $n$-th', 'the n-th'],
    ['$\\sim$5 and En$\\rightarrow$De', '∼5 and En→De'],
    ['AtP*', 'AtP*'],
  ])('%j reads %j', (source, expected) => expect(displayText(source)).toBe(expected));

  test.each([
    'our \\gpt model',
    '$5 and $10',
    'from $5 to $10 million',
    "it\\'s",
    'the \\"attention\\" we need',
    'a \\"word\\"',
    '$\\frac{a}{b}$',
    '$\\mathbf{x}_{\\theta_{t}}$',
    'file_1 and x_{foo bar}',
    '{braces} stay',
    '(p < 0.01, a & b)',
    'C:\\temp\\new',
    '\\cite{a}',
    'a--b --help',
    '$HOME and $PATH',
    'cost $words between dollars$',
    '2^10',
    'x^{\\infty}',
  ])('%j stays', (source) => expect(displayText(source)).toBe(source));

  test('no text is lost but markup, and the result is one clean line', () => {
    fc.assert(
      fc.property(hostileText(), (text) => {
        const shown = displayText(text);
        expect(shown).toMatch(/^[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u);
        expect(shown.isWellFormed()).toBe(true);
      }),
    );
  });
});
