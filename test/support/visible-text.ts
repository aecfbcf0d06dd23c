/** White space to single spaces. */
export function collapse(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** What a browser would show of an HTML document, by the simplest means: tags out, references decoded, white space collapsed. */
export function visibleText(html: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  const body = html
    .slice(html.indexOf('<body'))
    .replace(/<wbr\s*>/g, '')
    .replace(/<[^>]*>/g, ' ');
  return collapse(
    body.replace(/&(?:#(\d+)|(\w+));/g, (_, code?: string, name?: string) =>
      code ? String.fromCodePoint(Number(code)) : (named[name ?? ''] ?? ''),
    ),
  );
}
