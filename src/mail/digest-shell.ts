import type { DigestView } from './digest-view.ts';
import { encodeHtml } from './encode-html.ts';
import { quotedPrintable, wrap } from './encode-text.ts';
import type { Locale } from './languages.ts';
import { format } from './phrases.ts';
import type { Sender } from './sender.ts';
import { type Block, field, finishHtml, type Slot } from './slots.ts';
import { encodePieces, fill, open, type Values } from './template.ts';
import type { MessageTemplates } from './templates.ts';

/** Everything around the papers, encoded, with slots for what changes from reader to reader. */
export type Shell = { readonly html: Block; readonly text: Block };

type ShellOptions = {
  readonly templates: MessageTemplates;
  readonly sender: Sender;
  readonly kind: DigestView['kind'];
  readonly locale: Locale;
  /** False: for the page on the web, which needs no link to itself. */
  readonly mail: boolean;
  /** True when the operator turned tracking on. */
  readonly tracked?: boolean;
};

/** Fills the digest templates for one kind and language; once, then used for every reader. */
export function digestShell(options: ShellOptions): Shell {
  const { templates } = options;
  const html = fill(templates.html, { ...shared(options), ...htmlValues(options) }, { escape: encodeHtml });
  const text = fill(
    templates.text,
    { ...shared(options), ...textValues(options) },
    { escape: (value) => value },
  );
  return { html: finishHtml(html), text: encodePieces(text, quotedPrintable) };
}

function shared({ locale, kind, sender, mail }: ShellOptions): Values<Slot> {
  const { digest, foot } = locale.phrases;
  const slot = (name: string) => open<Slot>(field(name));
  const link = (to: 'preferences' | 'unsubscribe' | 'pause' | 'view') => open<Slot>({ type: 'link', to });
  return {
    mail,
    blocks: false,
    heading: format(digest.heading[kind], { service: sender.name }),
    viewInBrowser: digest.viewInBrowser,
    unsubscribeLabel: digest.unsubscribe,
    preferencesLabel: foot.preferences,
    frequencyLabel: foot.frequency,
    pauseLabel: foot.pause,
    unsubscribeAllLabel: foot.unsubscribeAll,
    dateline: slot('dateline'),
    papers: slot('papers'),
    notes: slot('notes'),
    unfollow: slot('unfollow'),
    view: link('view'),
    preferences: link('preferences'),
    pause: link('pause'),
    unsubscribe: link('unsubscribe'),
  };
}

function footLines({ locale, sender, tracked }: ShellOptions) {
  const { foot } = locale.phrases;
  const operator = [sender.operator, sender.postalAddress].filter(Boolean).join(', ');
  return {
    why: format(foot.why, { service: sender.name }),
    tracking: tracked ? foot.tracked : foot.tracking,
    operator: operator === '' ? '' : format(foot.operator, { operator }),
  };
}

function htmlValues(options: ShellOptions): Values<Slot> {
  const { locale, kind } = options;
  const introduction = locale.phrases.digest.introduction[kind];
  const { operator, ...lines } = footLines(options);
  return {
    ...lines,
    language: locale.language,
    direction: locale.direction,
    links: true,
    subject: open<Slot>(field('subject')),
    preview: open<Slot>(field('preview')),
    count: open<Slot>(field('count')),
    introduction: introduction && { text: introduction },
    operator: operator && { text: operator },
  };
}

function textValues(options: ShellOptions): Values<Slot> {
  const introduction = options.locale.phrases.digest.introduction[options.kind];
  const { why, tracking, operator } = footLines(options);
  return {
    why: wrap(why),
    tracking: wrap(tracking),
    introduction: introduction && { text: wrap(introduction) },
    operator: operator && { text: wrap(operator) },
  };
}
