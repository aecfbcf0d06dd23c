import type { Fragment, Fragments, SectionWriter } from './digest-fragments.ts';
import type { DigestView } from './digest-view.ts';
import { notesOf } from './digest-words.ts';
import type { MessageTemplates } from './templates.ts';
import type { TopicLink } from './topic-links.ts';
import { createWhy, type Why } from './why-fragments.ts';

/** Topics whose "unsubscribe from this topic" stands in the foot. */
const TOPICS_IN_FOOT = 12;

/** The papers of a digest in their order, and what follows from them; all of it encoded. */
export type Layout = {
  readonly sections: readonly Section[];
  readonly notes: readonly Fragment[];
  /** The topics behind it, each once. */
  readonly topics: readonly TopicLink[];
};
type Section = { readonly heading: Fragment | null; readonly papers: readonly Why[] };

/** Creates the function that lays a digest out: at least one paper, and as many as `limit` octets of HTML hold. */
export function createLayout(
  writer: SectionWriter,
  fragments: Fragments,
  templates: MessageTemplates,
): (view: DigestView, limit: number) => Layout {
  const whyOf = createWhy(writer, templates);
  return (view, limit) => {
    const { locale } = view;
    const all = view.papers.map(({ block, reasons }) => whyOf(reasons, block, locale));
    const sections = view.sections ? grouped(all, fragments) : [{ heading: null, papers: all }];
    const { kept, shown } = fitting(sections, limit);
    return {
      sections: kept,
      notes: notesOf(view, shown).map((note) => fragments.note(note, locale)),
      topics: topicsBehind(all),
    };
  };
}

function topicsBehind(papers: readonly Why[]): readonly TopicLink[] {
  const topics: TopicLink[] = [];
  for (const paper of papers)
    for (const topic of paper.topics)
      if (topics.length < TOPICS_IN_FOOT && !isAmong(topics, topic)) topics.push(topic);
  return topics;
}

/** Nearly always it is the very same one. */
const isAmong = (topics: readonly TopicLink[], topic: TopicLink) =>
  topics.includes(topic) || topics.some(({ key }) => key === topic.key);

/** One section per strongest topic, in the order of each one's best paper. */
function grouped(papers: readonly Why[], fragments: Fragments): readonly Section[] {
  return Array.from(
    Map.groupBy(papers, ({ section }) => section),
    ([heading, its]) => ({ heading: fragments.section(heading), papers: its }),
  );
}

function extentOf(sections: readonly Section[]) {
  let octets = 0;
  let papers = 0;
  for (const section of sections) {
    papers += section.papers.length;
    for (const paper of section.papers) octets += paper.octets;
  }
  return { octets, papers };
}

/** Papers while they fit into `limit` octets of HTML, at least one. A section without any goes whole. */
function fitting(sections: readonly Section[], limit: number): { kept: readonly Section[]; shown: number } {
  const all = extentOf(sections);
  if (all.octets <= limit) return { kept: sections, shown: all.papers };
  let octets = 0;
  let shown = 0;
  const kept = sections.map(({ heading, papers }) => ({
    heading,
    papers: papers.filter((paper) => {
      octets += paper.octets;
      const fits = octets <= limit || shown === 0;
      if (fits) shown += 1;
      return fits;
    }),
  }));
  return { kept: kept.filter(({ papers }) => papers.length > 0), shown };
}
