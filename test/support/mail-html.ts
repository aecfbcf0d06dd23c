import { HtmlValidate } from 'html-validate';

/** html-validate with its recommended rules, without those that are right for pages and wrong for mails. */
const VALIDATOR = new HtmlValidate({
  extends: ['html-validate:recommended'],
  rules: {
    // Outlook for Windows renders with Word: it needs its conditional comments, table layout and attributes.
    'no-conditional-comment': 'off',
    'no-deprecated-attr': 'off',
    // Gmail with other accounts drops <style>: what matters is inline.
    'no-inline-style': 'off',
    // Written by MJML; older readers know role="presentation" only.
    'presentation-role-style': 'off',
    'prefer-native-element': 'off',
    // The title is the subject, a paper's title among others.
    'long-title': 'off',
  },
});

/** What is wrong with a mail's HTML, as `line rule: message`; empty when nothing is. */
export async function htmlFaults(html: string): Promise<readonly string[]> {
  const { results } = await VALIDATOR.validateString(html);
  return results.flatMap(({ messages }) =>
    messages.map(({ line, ruleId, message }) => `${line} ${ruleId}: ${message}`),
  );
}
