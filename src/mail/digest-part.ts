import { type Chunk, type Chunks, chunkOf, type Part } from './chunk.ts';
import type { Channel } from './digest-fragments.ts';
import type { Head } from './digest-head.ts';
import type { Layout } from './digest-layout.ts';
import type { Shell, ShellField } from './digest-shell.ts';
import { INDENT } from './encode-text.ts';
import type { Locale } from './languages.ts';
import type { UnfollowLine } from './topic-links.ts';

/** A digest with all its encoded parts found, before they are written for HTML and for text. */
export type EncodedDigest = {
  readonly head: Head;
  readonly layout: Layout;
  readonly unfollow: UnfollowLine;
  readonly locale: Locale;
};

/** One of the two bodies: the shell, with the digest in its fields. */
export function digestPart(channel: Channel, shell: Shell, digest: EncodedDigest): Part {
  return (out) => {
    for (const piece of shell[channel]) {
      if (typeof piece !== 'string') out.push(piece);
      else writeField(piece, channel, digest, out);
    }
  };
}

function writeField(name: ShellField, channel: Channel, digest: EncodedDigest, out: Chunk[]): void {
  const { head, layout, unfollow, locale } = digest;
  switch (name) {
    case 'subject':
      return put(out, head.title);
    case 'preview':
      return put(out, head.preview);
    case 'heading':
      return put(out, head.heading[channel]);
    case 'count':
      return put(out, head.count[channel]);
    case 'papers':
      return writePapers(channel, layout, out);
    case 'notes':
      return layout.notes.forEach((note) => put(out, note[channel]));
    case 'unfollow':
      return unfollow(out, channel, layout.topics, locale);
  }
}

const put = (out: Chunk[], chunks: Chunks): void => {
  for (const chunk of chunks) out.push(chunk);
};

function writePapers(channel: Channel, { sections }: Layout, out: Chunk[]): void {
  let number = 0;
  for (const { heading, papers } of sections) {
    if (heading) put(out, heading[channel]);
    for (const paper of papers) {
      number += 1;
      for (const piece of paper[channel]) {
        if (typeof piece !== 'string') out.push(piece);
        else put(out, numberLine(number));
      }
    }
  }
}

const numberLines: Chunks[] = [];

/** A paper's number in a text part, with a soft break behind it: the block was encoded as if it began a line. */
function numberLine(number: number): Chunks {
  return (numberLines[number] ??= [chunkOf(`${`${number}.`.padEnd(INDENT.length)}=\r\n`)]);
}
