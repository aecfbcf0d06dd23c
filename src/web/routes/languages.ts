/** Languages of the mails, as the form offers them. */
export const LANGUAGE_TAGS = ['en', 'de', 'fr', 'es', 'zh', 'ja'] as const;

/** Each language in its own name. */
export const LANGUAGE_CHOICES = LANGUAGE_TAGS.map((tag) => ({
  tag,
  name: new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag,
}));
