import type { Config } from './config.ts';
import type { Sender } from './mail/sender.ts';

/** Who the mails come from, out of the configuration. */
export function senderOf({ sender }: Pick<Config, 'sender'>, homeUrl: string, secret: string): Sender {
  const [, name = 'Paperboy', address = sender.from] = /^(.*?)\s*<(.+)>$/.exec(sender.from) ?? [];
  return {
    name: name.replace(/^"(.*)"$/, '$1') || sender.operatorName,
    address,
    homeUrl,
    key: secret,
    operator: sender.operatorName,
    ...(sender.replyTo ? { replyTo: sender.replyTo } : {}),
    ...(sender.bounceAddress ? { bounceAddress: sender.bounceAddress } : {}),
    ...(sender.postalAddress ? { postalAddress: sender.postalAddress } : {}),
  };
}
