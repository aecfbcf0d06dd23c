import type { DigestView } from './digest-view.ts';
import { encodeHtml } from './encode-html.ts';
import { wrap } from './encode-text.ts';
import type { Locale } from './languages.ts';
import { format } from './phrases.ts';
import { operatorLine, type Sender } from './sender.ts';
import { type Block, type Encoders, field, type LinkName, type Slot } from './slots.ts';
import { fill, open, type Values } from './template.ts';
import type { MessageTemplates } from './templates.ts';

const FIELDS = ['heading', 'count', 'papers', 'notes', 'unfollow', 'subject', 'preview'] as const;

/** What a shell leaves to the digest. */
export type ShellField = (typeof FIELDS)[number];

/** Everything around the papers, encoded, with slots for what changes from reader to reader. */
export type Shell = { readonly html: Block<ShellField>; readonly text: Block<ShellField> };

type ShellOptions = {
  readonly templates: MessageTemplates;
  readonly encoders: Encoders;
  readonly sender: Sender;
  readonly kind: DigestView['kind'];
  readonly locale: Locale;
  /** False: for the page on the web, which needs no link to itself. */
  readonly mail: boolean;
};

const LINKS: readonly LinkName[] = ['view', 'preferences', 'frequency', 'pause', 'unsubscribe'];

/** Fills the digest templates for one edition, kind and language; once, then used for every reader. */
export function digestShell(options: ShellOptions): Shell {
  const { templates, encoders, kind, mail } = options;
  const values = shared(options);
  // That nothing matched is said by the line on top already.
  const once: Values<Slot<ShellField>> = kind === 'nothing' && mail ? { introduction: null } : {};
  const html = fill(
    templates.html,
    { ...values, ...optional(options, (text) => text), ...once },
    { escape: encodeHtml },
  );
  const text = fill(templates.text, { ...values, ...optional(options, wrap) }, { escape: (value) => value });
  return { html: encoders.html(html), text: encoders.text(text) };
}

function shared({ locale, sender, mail }: ShellOptions): Values<Slot<ShellField>> {
  const { digest, foot } = locale.phrases;
  return {
    ...Object.fromEntries(FIELDS.map((name) => [name, open(field(name))])),
    ...Object.fromEntries(LINKS.map((to) => [to, open<Slot>({ type: 'link', to })])),
    language: locale.language,
    direction: locale.direction,
    service: sender.name,
    colon: locale.phrases.colon,
    mail,
    // The parts that are encoded on their own, see digest-fragments.ts and paper-block.ts.
    blocks: false,
    fragments: false,
    viewInBrowser: digest.viewInBrowser,
    unsubscribeLabel: digest.unsubscribe,
    preferencesLabel: foot.preferences,
    frequencyLabel: foot.frequency,
    pauseLabel: foot.pause,
    unsubscribeAllLabel: foot.unsubscribeAll,
  };
}

/** Longer texts, and those that may be absent. */
function optional(
  { locale, kind, sender }: ShellOptions,
  lay: (text: string) => string,
): Values<Slot<ShellField>> {
  const { digest, foot } = locale.phrases;
  const introduction = digest.introduction[kind];
  const operator = operatorLine(sender, foot.operator);
  return {
    introduction: introduction && { text: lay(introduction) },
    why: lay(format(foot.why, { service: sender.name })),
    tracking: lay(foot.tracking),
    operator: operator && { text: lay(operator) },
  };
}
