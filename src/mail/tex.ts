/** Light TeX becomes Unicode where that is certain. */
export function texToUnicode(text: string): string {
  return text;
}
