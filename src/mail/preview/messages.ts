import { createDigestWriter, type DigestWriter } from '../digest-mail.ts';
import { digestMessage } from '../digest-message.ts';
import type { DigestView } from '../digest-view.ts';
import type { Sign } from '../dkim.ts';
import { LANGUAGES, type Language, localeOf } from '../languages.ts';
import {
  LINK_TOKENS,
  type LinkToken,
  openToken,
  type ReaderLinks,
  type ReaderTokens,
  TOKEN_LENGTH,
} from '../links.ts';
import type { OutgoingMessage } from '../message.ts';
import type { Notice } from '../notice.ts';
import { createNoticeComposer } from '../notice-mail.ts';
import type { Sender } from '../sender.ts';
import { loadTemplates } from '../templates.ts';
import { samplePapers, sampleReasons } from './sample-papers.ts';

/** A message of the preview; its file name is `name.language`. */
export type PreviewMessage = {
  readonly name: string;
  readonly language: Language;
  readonly message: OutgoingMessage;
};

/** What the messages of a preview are made with. */
export type PreviewDependencies = {
  readonly sender: Sender;
  readonly now: () => Date;
  readonly sign?: Sign;
};

const READER = { email: 'reader@example.org', publicId: '00000000-0000-4000-8000-000000000000', digestId: 1 };
const TOKEN = 'preview-'.repeat(TOKEN_LENGTH / 8 + 1).slice(0, TOKEN_LENGTH);
const TOKENS = Object.fromEntries(LINK_TOKENS.map((purpose) => [purpose, TOKEN])) as ReaderTokens;

/** Links of the length of real ones, which lead nowhere. */
function previewLinks({ homeUrl }: Sender, tokenOf: (purpose: LinkToken) => string): ReaderLinks {
  const base = homeUrl.replace(/\/+$/, '');
  return {
    preferences: `${base}/preferences/${tokenOf('preferences')}`,
    unsubscribe: `${base}/unsubscribe/${tokenOf('unsubscribe')}`,
    oneClick: `${base}/one-click/${tokenOf('one-click')}`,
    pause: `${base}/pause/${tokenOf('pause')}`,
    viewDigest: (date) => `${base}/digest/${tokenOf('digest')}/${date}`,
    feedback: (paper, verdict) => `${base}/feedback/${tokenOf('feedback')}/${paper}/${verdict}`,
    topic: (kind, value, action) =>
      `${base}/topic/${tokenOf('topic')}/${action}/${kind}?value=${encodeURIComponent(value)}`,
  };
}

/** The digests there are, by name: every kind, and one with sections and pictures. */
const DIGESTS: Readonly<Record<string, Partial<DigestView> & { readonly images?: boolean }>> = {
  'digest-daily': { kind: 'daily' },
  'digest-daily-sections': { kind: 'daily', sections: true, images: true, withdrawn: 1 },
  'digest-weekly': { kind: 'weekly' },
  'digest-welcome': { kind: 'welcome' },
  'digest-nothing': { kind: 'nothing', papers: [] },
};

const NOTICES: Readonly<Record<string, Notice>> = {
  confirm: { kind: 'confirm', confirmationId: 1 },
  'confirm-address': { kind: 'confirm-address', confirmationId: 1 },
  'address-requested': { kind: 'address-changed', done: false, confirmationId: 1 },
  'address-changed': { kind: 'address-changed', done: true },
  'preferences-changed': { kind: 'preferences-changed' },
  paused: { kind: 'paused', until: null },
  'paused-until': { kind: 'paused', until: '2026-12-24' },
  resumed: { kind: 'resumed' },
  goodbye: { kind: 'goodbye' },
  test: { kind: 'test' },
};

/** How many messages {@link previewMessages} makes. */
export const PREVIEW_COUNT = (Object.keys(DIGESTS).length + Object.keys(NOTICES).length) * LANGUAGES.length;

/** Every message in every language, of sample papers. */
export async function* previewMessages(dependencies: PreviewDependencies): AsyncIterable<PreviewMessage> {
  const { sender, now, sign } = dependencies;
  const templates = await loadTemplates('digest');
  const writer = createDigestWriter({ sender, templates, links: previewLinks(sender, openToken) });
  const notices = createNoticeComposer(dependencies);
  const links = previewLinks(sender, () => TOKEN);
  for (const language of LANGUAGES) {
    for (const [name, fields] of Object.entries(DIGESTS)) {
      const view = digestView(writer, language, now(), fields);
      const message = digestMessage(view, READER, { writer, sender, date: now() });
      yield { name, language, message: sign ? await sign(message) : message };
    }
    for (const [name, notice] of Object.entries(NOTICES)) {
      const confirm = `${sender.homeUrl.replace(/\/+$/, '')}/confirm/${TOKEN}`;
      const request = { id: 1, notice, email: READER.email, language, links: { reader: links, confirm } };
      const message = await notices.compose(request);
      if (!('skip' in message)) yield { name, language, message };
    }
  }
}

function digestView(
  writer: DigestWriter,
  language: Language,
  now: Date,
  { images = false, ...fields }: Partial<DigestView> & { readonly images?: boolean },
): DigestView {
  const locale = localeOf(language);
  const editionDate = now.toISOString().slice(0, 10);
  const papers = samplePapers.map((paper, index) => ({
    block: writer.block(paper, { editionDate, locale, images }),
    reasons: sampleReasons[index] ?? [],
  }));
  return {
    kind: 'daily',
    editionDate,
    slotAt: now,
    locale,
    timezone: 'Europe/Berlin',
    tokens: TOKENS,
    papers,
    candidates: 428,
    had: 31,
    sections: false,
    withdrawn: 0,
    coverage: {
      fresh: [
        { name: 'cs.AI', count: 203 },
        { name: 'Hugging Face', count: 24 },
      ],
      late: ['cs.CL'],
      quiet: [],
    },
    ...fields,
  };
}
