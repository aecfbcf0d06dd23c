import { assembleMessage, type EncodedParts } from './assemble.ts';
import { chunkOf } from './chunk.ts';
import type { Sign } from './dkim.ts';
import { encodeHtml, escapeHtml } from './encode-html.ts';
import { quotedPrintable, wrap } from './encode-text.ts';
import { isMailable } from './header.ts';
import { type Locale, localeOf } from './languages.ts';
import type { ReaderLinks } from './links.ts';
import type { OutgoingMessage } from './message.ts';
import type { Notice, NoticeKind } from './notice.ts';
import { format, type NoticeText } from './phrases.ts';
import { messageId, operatorLine, type Sender } from './sender.ts';
import { foldedHtml } from './slots.ts';
import { fill, type Values } from './template.ts';
import { loadTemplates, type MessageTemplates } from './templates.ts';

/** What composing one notice needs besides the notice itself. */
export type NoticeRequest = {
  /** Row of `notices`: Message-ID and VERP are made from it. */
  readonly id: number;
  readonly notice: Notice;
  readonly email: string;
  /** BCP 47. */
  readonly language: string;
  readonly links: NoticeLinks;
};

/** Links of a notice; made when it is composed, so that no token is stored. */
export type NoticeLinks = {
  /** The page with the button, for `confirm`, `confirm-address` and a change of address that still has to be agreed to. */
  readonly confirm?: string;
  /** Takes an unsubscription back, for `goodbye`; without it the button leads to the service's page. */
  readonly undo?: string;
  /** The reader's own links, for the kinds about an existing subscription. */
  readonly reader?: ReaderLinks;
};

/** Composes transactional mails. */
export type NoticeComposer = {
  /**
   * The message of one notice, or why there is none: an address that cannot be written in ASCII.
   * @throws RangeError when a link that the kind needs is absent.
   */
  compose(request: NoticeRequest): Promise<OutgoingMessage | { readonly skip: string }>;
};

/** @param dependencies.now the Date header's clock. */
export function createNoticeComposer(dependencies: {
  readonly sender: Sender;
  readonly now: () => Date;
  readonly sign?: Sign;
}): NoticeComposer {
  const { sender, now, sign } = dependencies;
  return {
    compose: async (request) => {
      if (!isMailable(request.email)) return { skip: 'the address cannot be written in ASCII' };
      const templates = await loadTemplates('notice');
      const locale = localeOf(request.language);
      const view = noticeView(request, locale, sender);
      const parts = noticeParts(view, locale, sender, templates);
      const { kind } = request.notice;
      const message = assembleMessage(
        {
          sender,
          to: request.email,
          subject: view.subject,
          language: locale.language,
          date: now(),
          messageId: messageId(sender, `notice-${request.id}`, request.email),
          tag: { kind: 'notice', id: request.id },
          stream: kind,
          campaign: 'notice',
          ...(view.foot ? { oneClick: view.foot.oneClick } : {}),
        },
        parts,
      );
      return sign ? sign(message) : message;
    },
  };
}

/** A notice in words: what its HTML and its text part both say. */
export type NoticeView = {
  readonly subject: string;
  readonly preview: string;
  readonly heading: string;
  readonly paragraphs: readonly string[];
  readonly button: { readonly label: string; readonly target: string } | null;
  readonly after: readonly string[];
  /** Present where there is a subscription to change. */
  readonly foot: {
    readonly preferences: string;
    readonly unsubscribe: string;
    readonly oneClick: string;
  } | null;
  readonly why: string;
};

/** The words of a notice. @throws RangeError when a link that the kind needs is absent. */
export function noticeView(request: NoticeRequest, locale: Locale, sender: Sender): NoticeView {
  const { notice, links } = request;
  const phrases = locale.phrases.notices[textOf(notice)];
  const date = notice.kind === 'paused' && notice.until ? locale.calendarDate(notice.until) : '';
  const words = (phrase: string) => format(phrase, { service: sender.name, date });
  const target = buttonTarget(notice, links, sender);
  const { reader } = links;
  const subscribed = reader && hasSubscription(notice);
  const { foot } = locale.phrases;
  return {
    subject: words(phrases.subject),
    preview: words(phrases.preview),
    heading: words(phrases.heading),
    paragraphs: phrases.paragraphs.map(words),
    button: phrases.button === '' || target === null ? null : { label: words(phrases.button), target },
    after: phrases.after.map(words),
    foot: subscribed
      ? { preferences: reader.preferences, unsubscribe: reader.unsubscribe, oneClick: reader.oneClick }
      : null,
    why: format(subscribed ? foot.why : foot.whyNotice, { service: sender.name }),
  };
}

function textOf(notice: Notice): NoticeText {
  if (notice.kind === 'address-changed') return notice.done ? 'address-changed' : 'address-requested';
  if (notice.kind === 'paused') return notice.until ? 'paused-until' : 'paused';
  return notice.kind;
}

function buttonTarget(notice: Notice, links: NoticeLinks, sender: Sender): string | null {
  switch (notice.kind) {
    case 'confirm':
    case 'confirm-address':
      return confirmLink(notice.kind, links);
    case 'address-changed':
      return notice.done ? null : confirmLink(notice.kind, links);
    case 'preferences-changed':
    case 'resumed':
      return links.reader?.preferences ?? null;
    case 'paused':
      return links.reader?.pause ?? null;
    case 'goodbye':
      return links.undo ?? sender.homeUrl;
    case 'test':
      return null;
  }
}

function confirmLink(kind: NoticeKind, { confirm }: NoticeLinks): string {
  if (!confirm) throw new RangeError(`a notice of kind ${kind} needs links.confirm`);
  return confirm;
}

/** Notices about a subscription that goes on at this address: they carry its links and the unsubscribe headers. */
function hasSubscription(notice: Notice): boolean {
  if (notice.kind === 'address-changed') return !notice.done;
  return notice.kind === 'preferences-changed' || notice.kind === 'paused' || notice.kind === 'resumed';
}

/** Both parts, encoded. */
export function noticeParts(
  view: NoticeView,
  locale: Locale,
  sender: Sender,
  templates: MessageTemplates,
): EncodedParts {
  const { foot: labels } = locale.phrases;
  const shared: Values<never> = {
    service: sender.name,
    colon: locale.phrases.colon,
    heading: view.heading,
    subject: view.subject,
    preview: view.preview,
    language: locale.language,
    direction: locale.direction,
    preferencesLabel: labels.preferences,
    unsubscribeAllLabel: labels.unsubscribeAll,
  };
  const operator = operatorLine(sender, labels.operator);
  const escaped = (links: Record<string, string>) =>
    Object.fromEntries(Object.entries(links).map(([name, url]) => [name, escapeHtml(url)]));
  const html = fill<never>(
    templates.html,
    {
      ...shared,
      paragraphs: view.paragraphs.map((text) => ({ text })),
      after: view.after.map((text) => ({ text })),
      button: view.button && {
        label: view.button.label,
        target: escapeHtml(view.button.target),
        home: escapeHtml(sender.homeUrl),
      },
      foot: view.foot && escaped(view.foot),
      why: view.why,
      operator: operator && { text: operator },
    },
    { escape: encodeHtml },
  );
  const text = fill<never>(
    templates.text,
    {
      ...shared,
      heading: wrap(view.heading),
      paragraphs: view.paragraphs.map((paragraph) => ({ lines: wrap(paragraph) })),
      after: view.after.map((paragraph) => ({ lines: wrap(paragraph) })),
      button: view.button,
      foot: view.foot,
      why: wrap(view.why),
      operator: operator && { text: wrap(operator) },
    },
    { escape: (value) => value },
  );
  // No slots, so one piece each.
  return {
    html: (out) => void out.push(chunkOf(foldedHtml(html[0] as string))),
    text: (out) => void out.push(chunkOf(quotedPrintable(text[0] as string))),
  };
}
