/** A phrase by plural category (CLDR, as Intl.PluralRules names them); `other` is always there. */
export type Plural = { readonly other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** Texts of one transactional mail. `{service}` and `{date}` are filled in. */
export type NoticePhrases = {
  readonly subject: string;
  readonly preview: string;
  readonly heading: string;
  readonly paragraphs: readonly string[];
  /** Label of the one button; empty for none. */
  readonly button: string;
  /** Small print behind the button. */
  readonly after: readonly string[];
};

type DigestKinds<Text, Nothing = Text> = {
  readonly daily: Text;
  readonly weekly: Text;
  readonly welcome: Text;
  readonly nothing: Nothing;
};

/** Everything that a mail says, in one language. `{names}` in braces are filled in, see {@link format}. */
export type Phrases = {
  /** Between a label and what it labels; a space follows. */
  readonly colon: string;
  readonly digest: {
    readonly subject: DigestKinds<Plural, string>;
    readonly heading: DigestKinds<string>;
    readonly introduction: DigestKinds<string>;
    /** By the number of papers shown. */
    readonly count: Plural;
    readonly previewSecond: string;
    readonly previewOnly: string;
    readonly viewInBrowser: string;
    readonly unsubscribe: string;
    readonly moreAuthors: Plural;
    readonly votes: Plural;
    readonly comments: Plural;
    readonly stars: Plural;
    readonly links: {
      readonly paper: string;
      readonly pdf: string;
      readonly code: string;
      readonly project: string;
    };
    readonly actions: {
      readonly more: string;
      readonly less: string;
      readonly notNow: string;
      readonly mute: string;
    };
    readonly actionsInText: string;
    readonly sectionTrending: string;
    readonly sectionOther: string;
    readonly withdrawn: string;
    readonly longer: string;
    readonly fresh: Plural;
    readonly had: Plural;
    /** By the number of `{names}`, as `quiet` is. */
    readonly late: Plural;
    readonly quiet: { readonly weekend: Plural; readonly holiday: Plural };
  };
  readonly reasons: {
    readonly follow: string;
    readonly followTerms: string;
    readonly liked: string;
    readonly likedTerms: string;
    readonly trending: string;
    readonly fill: string;
    /** `{date}`: when it was put aside. */
    readonly reminder: string;
  };
  readonly foot: {
    readonly why: string;
    readonly whyNotice: string;
    readonly preferences: string;
    readonly frequency: string;
    readonly pause: string;
    readonly unfollow: string;
    readonly unsubscribeAll: string;
    readonly tracking: string;
    readonly operator: string;
  };
  readonly notices: Readonly<Record<NoticeText, NoticePhrases>>;
};

/** Texts of notices; two kinds have two texts each. */
export type NoticeText =
  | 'confirm'
  | 'confirm-address'
  | 'address-requested'
  | 'address-changed'
  | 'preferences-changed'
  | 'paused'
  | 'paused-until'
  | 'resumed'
  | 'goodbye'
  | 'test';

/** Fills `{name}` places. @throws RangeError for a place without a value. */
export function format(phrase: string, values: Readonly<Record<string, string | number>>): string {
  return runs(phrase, values)
    .map((run) => run as string)
    .join('');
}

/** Splits a phrase at its `{name}` places and puts the values between: text and marked-up pieces in order. */
export function runs<Value>(phrase: string, values: Readonly<Record<string, Value>>): (string | Value)[] {
  const out: (string | Value)[] = [];
  for (const [index, part] of phrase.split(/\{(\w+)\}/).entries()) {
    if (index % 2 === 0) {
      if (part !== '') out.push(part);
    } else if (Object.hasOwn(values, part)) out.push(values[part] as Value);
    else throw new RangeError(`no value for {${part}} in: ${phrase}`);
  }
  return out;
}

/** The same phrases with every text put through `change`. */
export function mapTexts<Texts>(texts: Texts, change: (text: string) => string): Texts {
  if (typeof texts === 'string') return change(texts) as Texts;
  if (Array.isArray(texts)) return texts.map((each: unknown) => mapTexts(each, change)) as Texts;
  const entries = Object.entries(texts as object).map(([name, each]) => [
    name,
    mapTexts(each as unknown, change),
  ]);
  return Object.fromEntries(entries) as Texts;
}
