import { expect } from 'vitest';
import { type Mail, messageOf, type OutgoingMessage } from '#src/mail/message.ts';
import { messageFaults } from './message-faults.ts';

/** Checks the octets of a message against the rules every mail of Paperboy keeps, see {@link messageFaults}. */
export function expectSoundMessage(message: OutgoingMessage): void {
  expect(messageFaults(message)).toEqual([]);
}

/** The message, where one was composed. @throws Error naming the reason where none was */
export function composed(result: Mail | { readonly skip: string } | undefined): OutgoingMessage {
  if (!result || 'skip' in result) throw new Error(`not composed: ${result?.skip}`);
  return messageOf(result);
}
