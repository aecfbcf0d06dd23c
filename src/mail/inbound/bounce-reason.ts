import type { BounceReason, RefusedStep } from './bounce.ts';

/** What a step of the conversation looks like in reports of the usual servers. */
const STEPS: readonly (readonly [RefusedStep, RegExp])[] = [
  [
    'data',
    /(?:after|in reply to|our(?: final)?) (?:the )?(?:end of )?data\b|\bsmtp command data\b|\(data\)|>>> data\b|\bbdat\b/,
  ],
  ['rcpt', /(?:after|in reply to|our) rcpt|>>> rcpt to|\[rcpt_to\]|smtp:rcpt|does not like recipient/],
  ['mail', /(?:after|in reply to|our) mail from|>>> mail from|sender (?:was|address) rejected/],
  [
    'connect',
    /(?:after|in reply to) (?:initial connection|connect|(?:e?helo|lhlo))|name was rejected|banner/,
  ],
];

/** Which step was refused; null when the text does not say. @param text lower case, on one line */
export function stepOf(text: string): RefusedStep | null {
  return STEPS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

/**
 * Phrases by reason, in order: what says more stands before what says less. They are put to text in lower case on one line.
 * Everything here is a phrase of the usual servers, none the wording of one sample.
 */
const PHRASES: readonly (readonly [BounceReason, RegExp])[] = [
  ['authfailure', /\b(?:spf|dkim|dmarc)\b|sender policy framework|unauthenticated e?-?mail/],
  [
    'requireptr',
    /reverse (?:dns|lookup|hostname|mapping)|\bptr\b|\brdns\b|name lookup failed|unverif[iy]able sending ip|cannot find your (?:reverse )?hostname/,
  ],
  ['badreputation', /reputation|unexpected volume or user complaints|too many (?:user )?complaints/],
  [
    'notcompliantrfc',
    /multiple addresses in from|(?:not|non|violat\w+|compl\w+).{0,30}\brfc ?[25][38]2[12]\b|\brfc ?[25][38]2[12]\b.{0,30}(?:compl|violat)|(?:missing|duplicate|multiple|invalid) (?:required )?(?:from|date|message-id|to|subject)[: ]*header/,
  ],
  [
    'mailererror',
    /mailer error|\b(?:procmail|maildrop)\b|command (?:died|failed|output)|unknown mailer|\bpipe to\b/,
  ],
  [
    'mailboxfull',
    /(?:mail ?box|account|inbox|storage|quota|mail ?drop).{0,40}(?:\bfull\b|exceed|over ?quota|out of space)|over (?:the |its |their )?(?:disk |storage )?quota|(?:out of|insufficient|not enough).{0,20}storage|quota exceeded|full mailbox|bo[iî]te.{0,20}pleine/,
  ],
  [
    'mesgtoobig',
    /(?:message|mail|size).{0,30}too (?:big|large)|(?:message|mail) (?:size|length).{0,20}exceed|exceed\w*.{0,40}(?:size|length)|size limit|recipsizelimit/,
  ],
  [
    'hasmoved',
    /(?:recipient|user|mailbox).{0,20}(?:no longer (?:on|at|with)|has moved)|address (?:has )?changed|moved permanently/,
  ],
  [
    'suspend',
    /(?:account|mailbox|mail box|user|recipient|address).{0,60}(?:disabled|inactive|suspended|deactivated|discontinued|terminated)|(?:disabled|inactive|suspended) (?:recipient|account|mailbox|user)/,
  ],
  [
    'rejected',
    /domain of sender|sender (?:address|domain|addr)|from: ?domain|purported responsible|permission to post|unrout[a-z]+ sender|invalid sender|sender (?:denied|rejected|blocked|unknown|verify failed)|backscatter/,
  ],
  [
    'notaccept',
    /no mx found|do(?:es)? not accept (?:any )?(?:e?-?mail|messages)|null ?mx|no mail accepted|cannot receive mail|not a mail (?:server|exchanger)/,
  ],
  [
    'hostunknown',
    /unrout[a-z]+ (?:mail )?(?:address|domain)|(?:no such|unknown|invalid) (?:host|domain)|(?:host|domain|destination)(?: name)?(?: is| was)? (?:unknown|not found(?!,? try)|invalid)|domain (?:is )?not reachable|(?:host|domain).{0,30}(?:does not|doesn't) exist|bad destination (?:system|host)|nxdomain|name or service not known/,
  ],
  [
    'userunknown',
    /(?:user|recipient|mailbox|account|address|alias|local[- ]part|destinataire|member).{0,60}?(?:unknown|not (?:be )?(?:found|exist|known|recogni[sz]ed|valid|listed|here|our customer)|(?:does not|doesn't|doesnt|don't) (?:exist|have)|no such|invalid|unavailable)|unknown (?:or illegal )?(?:user|recipient|account|mailbox|address|local[- ]part|alias)|no (?:such )?(?:user|person|recipient|mailbox|account|address|local|customer|one) ?(?:here|by|with|at|exists|$|[.:"<(])|no such (?:user|person|recipient|mailbox|account|address|local)|(?:invalid|illegal|bad|nonexistent|non-existent) (?:recipient|mailbox|destination mailbox|user|address|local)|isn't a (?:known|valid)|recipnotfound|recipientnotfound|bad-mailbox/,
  ],
  [
    'norelaying',
    /relay(?:ing)?.{0,30}(?:denied|not (?:allowed|permitted)|prohibited|refused)|not permitted to relay|we do not relay/,
  ],
  [
    'spamdetected',
    /scored as spam|spam (?:detected|message|content)|(?:considered|classified|identified|detected|looks like|rejected)(?: as)? (?:spam|junk|bulk)|\bube\b|\buce\b|unsolicited|high probability of spam/,
  ],
  [
    'blocked',
    /block ?list|black ?list|\b(?:rbl|dnsbl|spamhaus|barracuda|spamcop)\b|\bblocked\b|banned|client host rejected|\b(?:ip|host|network)\b(?: address)?.{0,30}(?:denied|rejected|is listed)|\(bl\)|bad (?:ip|host)|access denied\.{3}|smtp server of your isp/,
  ],
  [
    'policyviolation',
    /polic(?:y|ies)|message (?:is )?not (?:allowed|accepted)|header error|network not allowed|not accept(?:ed)? for/,
  ],
  [
    'securityerror',
    /not authori[sz]ed|unauthori[sz]ed|unauthenticated|authentication (?:required|failed)|starttls|encryption|virus|malware|security/,
  ],
  [
    'contenterror',
    /content.{0,20}(?:rejected|not (?:allowed|accepted))|malformed|improper (?:use|content)|bad (?:header|content)/,
  ],
  [
    'networkerror',
    /no route to host|network (?:is )?unreachable|too many hops|hop count|(?:mail|routing) loop|loops? back|name service error|name server|host not found,? try|getaddrinfo|no such file or directory.*dns/,
  ],
  ['rejected', /access denied|rejected|not accepted|refused to accept/],
  [
    'expired',
    /timed?[ -]?out|expired|too (?:long|old)|not (?:been )?respond|not yet been delivered|has been delayed|delayed|undelivered after|warning only|will be retried|will be returned|retry timeout|(?:failing|failed) for a long time|unable to (?:connect|deliver)|aborted after|delivery failed \d+ attempt|could not (?:be delivered for|find a gateway)|cannot send message for|not reachable|within \d+ days?|lookup failure|connection (?:refused|reset|lost|dropped)|did not accept our requests to connect/,
  ],
  [
    'systemerror',
    /system error|configuration|resources|i\/o error|server error|internal error|service unavailable|try (?:again )?later|veuillez essayer plus tard/,
  ],
];

/** The reason that a text gives; null when no usual phrase is in it. @param text lower case, on one line */
export function reasonInWords(text: string): BounceReason | null {
  return PHRASES.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

/** By subject and detail of RFC 3463, whatever the class: for reports that say nothing in words. */
const BY_DETAIL: Readonly<Record<string, BounceReason>> = {
  '1.1': 'userunknown',
  '1.2': 'hostunknown',
  '1.3': 'userunknown',
  '1.4': 'userunknown',
  '1.6': 'hasmoved',
  '1.7': 'rejected',
  '1.8': 'rejected',
  // RFC 7505
  '1.10': 'notaccept',
  '2.1': 'suspend',
  '2.2': 'mailboxfull',
  '2.3': 'mesgtoobig',
  '3.4': 'mesgtoobig',
  '4.1': 'expired',
  '4.2': 'expired',
  '4.4': 'hostunknown',
  '4.7': 'expired',
  // RFC 7372, RFC 7505
  '7.20': 'authfailure',
  '7.23': 'authfailure',
  '7.25': 'requireptr',
  '7.26': 'authfailure',
  '7.27': 'notaccept',
};
const BY_SUBJECT: Readonly<Record<string, BounceReason>> = {
  '2': 'filtered',
  '3': 'systemerror',
  '4': 'networkerror',
  '6': 'contenterror',
  '7': 'policyviolation',
};

/** The reason that an enhanced status code stands for, where it stands for one. */
export function reasonOfStatus(status: string | null): BounceReason | null {
  const [, subject = '', detail = ''] = status?.split('.') ?? [];
  return BY_DETAIL[`${subject}.${detail}`] ?? BY_SUBJECT[subject] ?? null;
}

/**
 * What the step and the code make of a reason in words. A server that takes the recipient and calls him unknown after the content, or under
 * a code of policy (x.7.x), has judged the message; one that says so of MAIL FROM means the sender, and of HELO the host.
 */
export function refine(reason: BounceReason, step: RefusedStep | null, status: string | null): BounceReason {
  if (reason !== 'userunknown' && reason !== 'hostunknown') return reason;
  if (step === 'connect') return 'blocked';
  if (step === 'mail') return 'rejected';
  if (reason === 'hostunknown') return reason;
  const judged = /^\d\.7\./.test(status ?? '') || (step === 'data' && !/^\d\.1\./.test(status ?? ''));
  return judged ? 'filtered' : reason;
}
