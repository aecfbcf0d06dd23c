import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import type { ClaimedDigest } from '#src/digests/digest.ts';
import {
  LINK_TOKENS,
  type LinkToken,
  openToken,
  type ReaderLinks,
  type ReaderTokens,
  TOKEN_LENGTH,
} from '#src/mail/links.ts';
import type { Sender } from '#src/mail/sender.ts';
import type { Reason } from '#src/matching/types.ts';
import type { Paper } from '#src/papers/paper.ts';
import type { Recipient } from '#src/subscribers/subscriber.ts';

export const NOW = new Date('2026-06-03T05:00:10Z');

export const sender: Sender = {
  name: 'Paperboy',
  address: 'digest@paperboy.example',
  replyTo: 'people@paperboy.example',
  bounceAddress: 'bounces@paperboy.example',
  operator: 'Example Lab',
  postalAddress: '1 Example Street, 12345 Example',
  homeUrl: 'https://paperboy.example/',
  key: 'a key of at least thirty-two octets, for tests',
};

/** Links of a length as the real ones have. */
export function sampleLinks(publicId: string): ReaderLinks {
  return linksWith(() => sampleToken(publicId));
}

/** The same links as composers take them: open, and with tokens. */
export const openLinks = {
  open: linksWith(openToken),
  tokensOf: ({ publicId }: { publicId: string }) =>
    Object.fromEntries(LINK_TOKENS.map((purpose) => [purpose, sampleToken(publicId)])) as ReaderTokens,
};

function sampleToken(publicId: string): string {
  return `${publicId.replaceAll('-', '')}0123456789abcdefghijklm`.slice(0, TOKEN_LENGTH);
}

function linksWith(tokenOf: (purpose: LinkToken) => string): ReaderLinks {
  const base = 'https://paperboy.example';
  return {
    preferences: `${base}/preferences/${tokenOf('preferences')}`,
    unsubscribe: `${base}/unsubscribe/${tokenOf('unsubscribe')}`,
    oneClick: `${base}/one-click/${tokenOf('one-click')}`,
    pause: `${base}/pause/${tokenOf('pause')}`,
    viewDigest: (date) => `${base}/digests/${date}/${tokenOf('digest')}`,
    feedback: (paper, verdict) => `${base}/papers/${paper}/${verdict}/${tokenOf('feedback')}`,
    topic: (kind, value, action) =>
      `${base}/topics/${action}?${new URLSearchParams({ kind, value }).toString()}&token=${tokenOf('topic')}`,
  };
}

/** A stored paper with everything set to something plain. */
export function samplePaper(id: number, fields: Partial<Paper> = {}): Paper {
  return {
    id: id as PaperId,
    identity: `arxiv:2606.${String(id).padStart(5, '0')}`,
    arxivId: `2606.${String(id).padStart(5, '0')}`,
    doi: null,
    title: `A Study of Subject Number ${id}`,
    abstract: `This is what we did about subject ${id}. It went well. We say how much.`,
    authors: ['Ada Example', 'Ben Sample', 'Chi Muster', 'Dag Prøve', 'Eve Exemple'],
    categories: ['cs.CL', 'cs.LG'],
    organisation: null,
    keywords: [],
    publishedAt: new Date('2026-06-02T12:00:00Z'),
    url: null,
    pdfUrl: null,
    codeUrl: null,
    projectUrl: null,
    thumbnailUrl: null,
    firstListedOn: '2026-06-03' as IsoDate,
    withdrawnAt: null,
    upvotes: null,
    comments: null,
    license: null,
    githubStars: null,
    ...fields,
  };
}

export const followReason: Reason = {
  type: 'follow',
  topic: { kind: 'topic', value: 'diffusion-models' },
  name: 'Diffusion models',
  terms: ['latent diffusion'],
  weight: 1,
};

export function sampleRecipient(fields: Partial<Recipient> = {}): Recipient {
  return {
    id: 7 as SubscriberId,
    publicId: '3f0c7a52-9a51-4c1e-8c39-6d3f3c7d0a11',
    email: 'reader@example.org',
    state: 'active',
    language: 'en',
    timezone: 'Europe/Berlin',
    linkEpoch: 0,
    sections: false,
    images: false,
    ...fields,
  };
}

export function sampleDigest(papers: readonly Paper[], fields: Partial<ClaimedDigest> = {}): ClaimedDigest {
  return {
    id: 123 as DigestId,
    editionDate: '2026-06-03' as IsoDate,
    subscriberId: 7 as SubscriberId,
    kind: 'daily',
    content: {
      paperIds: papers.map((paper) => paper.id),
      reasons: papers.map(() => [followReason]),
      candidates: 428,
    },
    slotAt: new Date('2026-06-03T05:00:00Z'),
    deadline: new Date('2026-06-05T05:00:00Z'),
    attempts: 0,
    leaseToken: 1,
    ...fields,
  };
}

/** Lookup for a composer over given papers. */
export function papersByIds(papers: readonly Paper[]) {
  const known = new Map(papers.map((paper) => [paper.id, paper]));
  return async (ids: readonly PaperId[]) =>
    new Map(ids.flatMap((id) => (known.has(id) ? [[id, known.get(id) as Paper] as const] : [])));
}

/** Lookup for a composer over given readers. */
export function recipientsByIds(recipients: readonly Recipient[]) {
  return async (ids: readonly SubscriberId[]) =>
    new Map(recipients.filter(({ id }) => ids.includes(id)).map((recipient) => [recipient.id, recipient]));
}
