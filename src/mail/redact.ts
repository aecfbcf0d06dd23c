/**
 * Text of another party without the addresses in it, each replaced by `…`: servers quote the address they refuse, and
 * what they said is kept longer than the address may be. Linear in time: a match begins where a word begins only.
 */
export const withoutAddresses = (text: string): string =>
  text.includes('@')
    ? text.replace(/(?:"[^"]*"|(?<![^\s<>":;,()])[^\s<>":;,()]+)@[^\s<>"':;,()]+/g, '…')
    : text;
