import type { Database } from '#src/database/database.ts';
import type { SubscriberId } from '#src/database/ids.ts';
import type { Notice } from '#src/mail/notice.ts';
import type { NoticeLinks } from '#src/mail/notice-mail.ts';
import type { Links } from './links.ts';
import { findSubscriber } from './subscriber-store.ts';

/**
 * The links a notice carries. They are made when it is composed, from ids alone, so that no token is ever stored.
 * A reader who was erased since has none.
 */
export async function noticeLinks(
  deps: { readonly database: Database; readonly links: Links; readonly now: () => Date },
  { notice, subscriberId }: { readonly notice: Notice; readonly subscriberId: SubscriberId | null },
): Promise<NoticeLinks> {
  const { links, now } = deps;
  const subscriber =
    subscriberId === null ? undefined : await findSubscriber(deps.database, { id: subscriberId });
  return {
    ...confirmLink(links, notice),
    ...(subscriber ? { reader: links.linksOf(subscriber) } : {}),
    ...(subscriber && notice.kind === 'goodbye' ? { undo: links.undo(subscriber, now()) } : {}),
  };
}

function confirmLink(links: Links, notice: Notice): Pick<NoticeLinks, 'confirm'> {
  switch (notice.kind) {
    case 'confirm':
      return { confirm: links.confirmation('subscribe', notice.confirmationId) };
    case 'confirm-address':
      return { confirm: links.confirmation('change-address', notice.confirmationId) };
    case 'address-changed':
      return notice.done ? {} : { confirm: links.confirmation('change-address', notice.confirmationId) };
    case 'preferences-changed':
    case 'paused':
    case 'resumed':
    case 'goodbye':
    case 'test':
      return {};
  }
}
