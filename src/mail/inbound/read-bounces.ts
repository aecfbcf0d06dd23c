import type { Bounce, BounceReason, Evidence } from './bounce.ts';
import { reasonInWords, reasonOfStatus, refine, stepOf } from './bounce-reason.ts';
import { oneLine, recipientTexts, replyCodeIn, statusIn, withoutOriginal } from './bounce-text.ts';
import type { InboundMail } from './inbound-mail.ts';
import { sesEvidence } from './read-ses.ts';
import { addressIn, type FieldGroup, fieldGroups, valueOf } from './report-fields.ts';

/**
 * The bounces in a mail, one per recipient: by RFC 3464 where it holds such a report, else by what it says in words.
 * Empty when it is no bounce. Pure; never throws for what is in the mail.
 */
export function readBounces(mail: InboundMail): readonly Bounce[] {
  return evidenceOf(mail).map(judge);
}

function evidenceOf(mail: InboundMail): readonly Evidence[] {
  const words = withoutOriginal(mail.text);
  const context = oneLine(`${mail.subject} ${words}`);
  const inWords = recipientTexts(words);
  const wordsOf = (recipient: string | null, groups: number) =>
    inWords.find((each) => each.recipient === recipient)?.text ?? (groups === 1 ? oneLine(words) : '');
  const groups = fieldGroups(mail.deliveryStatus || words).filter(isAboutRecipient);
  if (groups.length > 0)
    return groups
      .filter((group) => !/^(?:delivered|relayed|expanded)/i.test(valueOf(group, 'action')))
      .map((group) => {
        const recipient =
          addressIn(valueOf(group, 'final-recipient')) ?? addressIn(valueOf(group, 'original-recipient'));
        return {
          recipient,
          action: /^delayed/i.test(valueOf(group, 'action')) ? 'delayed' : 'failed',
          status: statusIn(valueOf(group, 'status')),
          texts: [diagnosticOf(group), wordsOf(recipient, groups.length)],
          context,
        };
      });
  const notified = sesEvidence(mail.text);
  if (notified.length > 0) return notified;
  if (!looksLikeBounce(mail, words)) return [];
  const action = DELAYED.test(context) ? 'delayed' : 'failed';
  if (inWords.length > 0)
    return inWords.map(({ recipient, text }) => ({
      recipient,
      action,
      status: null,
      texts: [text],
      context,
    }));
  const recipient = addressIn(mail.header('x-failed-recipients')) ?? addressIn(words);
  return [{ recipient, action, status: null, texts: [oneLine(words)], context }];
}

const isAboutRecipient = (group: FieldGroup) =>
  (group.has('final-recipient') || group.has('original-recipient')) &&
  (group.has('action') || group.has('status') || group.has('diagnostic-code'));

/** RFC 3464 §2.3.6: the type before the semicolon says whose words they are. */
function diagnosticOf(group: FieldGroup): string {
  const code = valueOf(group, 'diagnostic-code');
  const words = /^smtp\s*;/i.test(code) ? code.replace(/^[^;]*;/, '') : code;
  // `Status: 5.0.0 (unknown mailbox)`: a comment may be all there is.
  return oneLine(`${words} ${/\((.*)\)/.exec(valueOf(group, 'status'))?.[1] ?? ''}`);
}

const DELAYED =
  /warning(?: message)? only|not yet been delivered|has been delayed|will be retried|\(delay(?:ed)?\)|delayed mail|delivery attempts will continue/i;
const FROM_SYSTEM =
  /mailer-?daemon|postmaster|mail delivery (?:sub)?system|mail deliver system|mail\.delivery\.system|system administrator/i;
const ABOUT_FAILURE =
  /undeliver|not deliver|deliver\w* (?:status|fail|notif|problem|error|has failed)|fail\w* (?:delivery|notice)|return\w* mail|mail (?:delivery|system) (?:fail|error|status)|bounce notification|error sending your (?:mail|message)|delayed (?:mail|message|24)|message .* delayed|delivery delayed/i;
const SAYS_FAILURE =
  /(?:could not|couldn't|can ?not|can't|unable to|not (?:able|possible) to|wasn't able to|trouble|error|failed|problem)[^.]{0,60}deliver|deliver\w*[^.]{0,60}(?:fail|error|abort|delay|could not|reject)|undeliverable|did not reach|not (?:yet )?(?:been )?delivered|(?:had|were) (?:permanent|transient|fatal|delivery)[a-z ]*errors|transcript of session|was rejected|failure reasons|did not receive this message|server message|errors?:/i;

/** Two of three: it comes from a mail system or from nobody, its subject speaks of a failure, its text does. */
function looksLikeBounce(mail: InboundMail, words: string): boolean {
  const fromSystem = FROM_SYSTEM.test(mail.header('from'));
  const fromNobody = /^\s*<\s*>/.test(mail.header('return-path'));
  const named = mail.header('x-failed-recipients') !== '' || ABOUT_FAILURE.test(mail.subject);
  const said = SAYS_FAILURE.test(oneLine(words)) || replyCodeIn(words) !== null;
  const signs = [fromSystem || fromNobody, named, said].filter(Boolean).length;
  // An automatic reply comes from nobody too (RFC 3834 §3.3), and may speak of anything.
  return signs >= 2 && (fromSystem || named);
}

/** The remote server's own code before the report's, unless it says nothing (x.0.0). */
function statusOf({ texts, status }: Evidence): string | null {
  const [diagnostic = '', words = ''] = texts;
  const found = [statusIn(diagnostic), status, statusIn(words)].filter((each) => each !== null);
  return found.find((each) => !each.endsWith('.0.0')) ?? found[0] ?? null;
}

const HARD: ReadonlySet<BounceReason> = new Set(['userunknown', 'hostunknown', 'hasmoved', 'notaccept']);
const LONGEST_DIAGNOSTIC = 500;

function judge(evidence: Evidence): Bounce {
  const { recipient, texts, context } = evidence;
  const first = <Value>(read: (text: string) => Value | null) =>
    texts.reduce<Value | null>((found, text) => found ?? read(text), null);
  const status = statusOf(evidence);
  const replyCode = first(replyCodeIn);
  const lower = texts.map((text) => text.toLowerCase());
  const step = stepOf(lower.join(' ')) ?? stepOf(context.toLowerCase());
  const inWords = lower.reduce<BounceReason | null>((found, text) => found ?? reasonInWords(text), null);
  const said = inWords ?? reasonOfStatus(status) ?? reasonInWords(context.toLowerCase()) ?? 'undefined';
  const reason = refine(said, step, status);
  const action = evidence.action ?? 'failed';
  const lasting = !status?.startsWith('4') && !(replyCode !== null && replyCode < 500);
  return {
    recipient,
    action,
    status,
    replyCode,
    reason,
    hard: HARD.has(reason) && lasting && action === 'failed',
    diagnostic: (texts.find((text) => text !== '') ?? context).slice(0, LONGEST_DIAGNOSTIC),
  };
}
