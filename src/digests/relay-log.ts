/**
 * What a relay's log says of a message: it took responsibility (`accepted`, and later perhaps `delivered`), or it took
 * it and could not deliver it (`bounced`).
 */
export type RelayFate = 'accepted' | 'delivered' | 'bounced';

const RANK: Readonly<Record<RelayFate, number>> = { accepted: 0, bounced: 1, delivered: 2 };
/** `<queue id>: message-id=<…>` of Postfix; the id stays the same for one message. */
const POSTFIX_ID =
  /\b([0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}): (?:resent-)?message-id=(<[^>]+>)/;
const POSTFIX_FATE =
  /\b([0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}): .*(?:status=(\w+)|\((queue active)\))/;
/** Exim: `<= sender … id=…` is a message received, with its id in one line. */
const EXIM = / <= .* id=(\S+)/;
const BARE = /^\s*(<[^<>\s]+@[^<>\s]+>)\s*$/;

/**
 * Reads the fate of messages out of a relay's log, by Message-ID (with angle brackets): Postfix' and Exim's mail.log, or
 * a plain list of Message-IDs that are known to have arrived, one a line. A message whose id Postfix logged but which
 * never became active was cut off while it was received: it is left out.
 */
export async function readRelayLog(
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<Map<string, RelayFate>> {
  const fates = new Map<string, RelayFate>();
  const idOfQueue = new Map<string, string>();
  const note = (id: string, fate: RelayFate) => {
    const known = fates.get(id);
    if (known === undefined || RANK[fate] > RANK[known]) fates.set(id, fate);
  };
  for await (const line of lines) {
    const named = POSTFIX_ID.exec(line);
    if (named?.[1] && named[2]) {
      idOfQueue.set(named[1], named[2]);
      continue;
    }
    const fate = POSTFIX_FATE.exec(line);
    const id = fate?.[1] && idOfQueue.get(fate[1]);
    if (fate && id) note(id, fateOf(fate[2]));
    const exim = EXIM.exec(line)?.[1];
    if (exim) note(`<${exim.replace(/^<|>$/g, '')}>`, 'accepted');
    const bare = BARE.exec(line)?.[1];
    if (bare) note(bare, 'delivered');
  }
  return fates;
}

function fateOf(status: string | undefined): RelayFate {
  if (status === 'sent') return 'delivered';
  return status === 'bounced' || status === 'expired' ? 'bounced' : 'accepted';
}
