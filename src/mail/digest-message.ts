import { assembleMessage } from './assemble.ts';
import type { DigestWriter } from './digest-mail.ts';
import type { DigestView } from './digest-view.ts';
import type { OutgoingMessage } from './message.ts';
import { messageId, type Sender } from './sender.ts';

/** Whom a digest goes to, and which row of the ledger it is. */
export type DigestAddress = {
  readonly email: string;
  /** Only its keyed hash goes into the mail. */
  readonly publicId: string;
  readonly digestId: number;
};

/** A complete, unsigned digest. @throws RangeError when the address cannot be written in ASCII. */
export function digestMessage(
  view: DigestView,
  address: DigestAddress,
  dependencies: { readonly writer: DigestWriter; readonly sender: Sender; readonly date: Date },
): OutgoingMessage {
  const { writer, sender, date } = dependencies;
  const { subject, ...parts } = writer.write(view);
  return assembleMessage(
    {
      sender,
      to: address.email,
      subject,
      language: view.locale.language,
      date,
      messageId: messageId(sender, view.editionDate, address.publicId),
      tag: { kind: 'digest', id: address.digestId },
      stream: view.kind,
      campaign: view.editionDate,
      oneClick: writer.oneClick(view),
    },
    parts,
  );
}
