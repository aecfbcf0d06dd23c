/** The fields that a browser would send for the form of a page whose action holds `action`, untouched by the visitor. */
export function formFields(page: string, action: string): URLSearchParams {
  const form = page
    .match(/<form[\s\S]*?<\/form>/g)
    ?.find((one) => attribute(one, 'action')?.includes(action));
  if (!form) throw new Error(`no form to ${action}`);
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
    const name = attribute(tag, 'name');
    const type = attribute(tag, 'type') ?? 'text';
    const counts = type === 'checkbox' || type === 'radio' ? /\schecked/.test(tag) : type !== 'submit';
    if (name && counts) fields.append(name, attribute(tag, 'value') ?? (type === 'checkbox' ? 'on' : ''));
  }
  for (const [whole, tag = '', options = ''] of form.matchAll(/(<select[^>]*>)([\s\S]*?)<\/select>/g)) {
    const chosen =
      /<option[^>]*\sselected[^>]*>/.exec(options)?.[0] ?? /<option[^>]*>/.exec(options)?.[0] ?? whole;
    fields.append(attribute(tag, 'name') ?? '', attribute(chosen, 'value') ?? '');
  }
  for (const [, tag = '', text = ''] of form.matchAll(/(<textarea[^>]*>)([\s\S]*?)<\/textarea>/g))
    fields.append(attribute(tag, 'name') ?? '', unescape(text));
  return fields;
}

const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : unescape(found);
};

const unescape = (text: string): string =>
  text.replace(
    /&(?:amp|lt|gt|quot|#39);/g,
    (entity) => ({ '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' })[entity] ?? "'",
  );
