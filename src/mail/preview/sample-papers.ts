import type { PaperView, ReasonView } from '../digest-view.ts';

/** A paper of the sample: titles, ids and authors are facts, the summaries are our own words. */
type Sample = Partial<PaperView> &
  Pick<PaperView, 'title' | 'abstract' | 'authors'> & { readonly arxivId: string };

const SAMPLES: readonly Sample[] = [
  {
    arxivId: '2404.09562',
    title: 'σ-GPTs: A New Approach to Autoregressive Models',
    authors: ['Arnaud Pannatier', 'Evann Courdier', 'François Fleuret'],
    categories: ['cs.LG'],
    abstract:
      'Language models write from left to right because they were built so. Here a second positional code tells the model which token comes next, so that it can fill in a sequence in any order, and even in bursts of several tokens. On path finding, text and aircraft vertical rate it does as well as the usual order with fewer evaluations ($O(\\log n)$ at best).',
    upvotes: 42,
    comments: 3,
    githubStars: 128,
    codeUrl: 'https://github.com/idiap/sigma-gpt',
  },
  {
    arxivId: '2112.10752',
    title: 'High-Resolution Image Synthesis with Latent Diffusion Models',
    authors: ['Robin Rombach', 'Andreas Blattmann', 'Dominik Lorenz', 'Patrick Esser', 'Björn Ommer'],
    categories: ['cs.CV'],
    abstract:
      'Diffusion in the space of pixels is slow and dear. This work first learns an autoencoder whose latent space keeps what the eye sees, and runs latent diffusion there, with cross-attention for text and layouts. Training and sampling cost a fraction (p < 0.01 of the compute for some tasks), and the pictures are as good.',
    upvotes: 1300,
    githubStars: 68_412,
    codeUrl: 'https://github.com/CompVis/latent-diffusion',
    projectUrl: 'https://ommer-lab.com/research/latent-diffusion-models/?from=list&lang=en',
    thumbnailUrl: 'https://cdn.example.org/thumbnails/2112.10752.png',
  },
  {
    arxivId: '2106.09685',
    title: 'LoRA: Low-Rank Adaptation of Large Language Models',
    authors: [
      'Edward J. Hu',
      'Yelong Shen',
      'Phillip Wallis',
      'Zeyuan Allen-Zhu',
      'Yuanzhi Li',
      'Shean Wang',
      'Lu Wang',
      'Weizhu Chen',
    ],
    categories: ['cs.CL', 'cs.AI', 'cs.LG'],
    abstract:
      'Fine-tuning all of a large model for every task is wasteful. The weights are frozen, and a product of two thin matrices is learned beside each of them: 10^{-4} of the parameters, no delay when the model is used, and results on par with full fine-tuning.',
    upvotes: 77,
    comments: 1,
    codeUrl: 'https://github.com/microsoft/LoRA',
  },
  {
    arxivId: '1706.03762',
    title: 'Attention Is All You Need',
    authors: [
      'Ashish Vaswani',
      'Noam Shazeer',
      'Niki Parmar',
      'Jakob Uszkoreit',
      'Llion Jones',
      'Aidan N. Gomez',
      'Łukasz Kaiser',
      'Illia Polosukhin',
    ],
    categories: ['cs.CL', 'cs.LG'],
    abstract:
      'Translation without recurrence and without convolution: the Transformer is made of attention alone. It trains in parallel, needs a small part of the time, and sets a new mark on two translation tasks.',
    organisation: 'Google Brain & Google Research',
    upvotes: 12_345,
  },
  {
    arxivId: '2006.11239',
    title: 'Denoising Diffusion Probabilistic Models',
    authors: ['Jonathan Ho', 'Ajay Jain', 'Pieter Abbeel'],
    categories: ['cs.LG', 'stat.ML'],
    abstract:
      'A chain that adds noise in small steps is turned round: a network learns to take the noise away again, and so to draw pictures. A weighted bound that ties it to denoising score matching with Langevin dynamics gives the best samples.',
    upvotes: 9,
  },
  {
    arxivId: '1412.6980',
    title: 'Adam: A Method for Stochastic Optimization',
    authors: ['Diederik P. Kingma', 'Jimmy Ba'],
    categories: ['cs.LG'],
    abstract:
      'Gradient descent with steps scaled by running means of the gradient and of its square. The means are corrected for their start at zero; the settings $\\beta_1 = 0.9$, $\\beta_2 = 0.999$ serve nearly everywhere.',
  },
  {
    arxivId: '1512.03385',
    title: 'Deep Residual Learning for Image Recognition',
    authors: ['Kaiming He', 'Xiangyu Zhang', 'Shaoqing Ren', 'Jian Sun'],
    categories: ['cs.CV'],
    abstract:
      'Deeper nets were harder to train, not better. When each block learns what to add to its input, nets of 152 layers train well and win.',
    organisation: 'Microsoft Research',
  },
  {
    arxivId: '1312.6114',
    title: 'Auto-Encoding Variational Bayes',
    authors: ['Diederik P Kingma', 'Max Welling'],
    categories: ['stat.ML', 'cs.LG'],
    abstract:
      'How to learn a model with hidden continuous causes when their posterior is out of reach: write the sample as a fixed draw moved by the parameters, and the gradient of the bound follows.',
  },
  {
    arxivId: '2103.00020',
    title: 'Learning Transferable Visual Models From Natural Language Supervision',
    authors: [
      'Alec Radford',
      'Jong Wook Kim',
      'Chris Hallacy',
      'Aditya Ramesh',
      'Gabriel Goh',
      'Sandhini Agarwal',
      'Girish Sastry',
      'Amanda Askell',
      'Pamela Mishkin',
      'Jack Clark',
      'Gretchen Krueger',
      'Ilya Sutskever',
    ],
    categories: ['cs.CV', 'cs.LG'],
    abstract:
      'Which caption goes with which picture? Trained on that question alone over 400 million pairs, a model names what it sees in words it is given, with no example of the task.',
    organisation: 'OpenAI',
    upvotes: 31,
    codeUrl: 'https://github.com/OpenAI/CLIP',
  },
  {
    arxivId: '2312.00752',
    title: 'Mamba: Linear-Time Sequence Modeling with Selective State Spaces',
    authors: ['Albert Gu', 'Tri Dao'],
    categories: ['cs.LG', 'cs.AI'],
    abstract:
      'State space models that choose, by what they read, what to keep and what to let go. No attention, cost linear in the length of the sequence, and as good as a Transformer of twice the size.',
    upvotes: 18,
    codeUrl: 'https://github.com/state-spaces/mamba',
  },
];

/** Ten papers for a preview. */
export const samplePapers: readonly PaperView[] = SAMPLES.map(({ arxivId, ...sample }, index) => ({
  id: index + 1,
  origin: 'arXiv',
  categories: [],
  organisation: null,
  upvotes: null,
  comments: null,
  githubStars: null,
  url: `https://arxiv.org/abs/${arxivId}`,
  pdfUrl: `https://arxiv.org/pdf/${arxivId}`,
  codeUrl: null,
  projectUrl: null,
  thumbnailUrl: null,
  ...sample,
}));

function follow(kind: string, value: string, name: string, ...terms: string[]): ReasonView {
  return { type: 'follow', topic: { kind, value }, name, terms };
}

const TRENDING: ReasonView = { type: 'trending', fill: false };

/** Why each of them is there, aligned with {@link samplePapers}. */
export const sampleReasons: readonly (readonly ReasonView[])[] = [
  [follow('topic', 'language-models', 'Language models', 'autoregressive', 'any order'), TRENDING],
  [follow('topic', 'diffusion-models', 'Diffusion models', 'latent diffusion'), TRENDING],
  [follow('topic', 'language-models', 'Language models', 'fine-tuning')],
  [follow('author', 'Łukasz Kaiser', 'Łukasz Kaiser'), TRENDING],
  [follow('topic', 'diffusion-models', 'Diffusion models', 'denoising', 'score matching')],
  [follow('query', '"stochastic optimization" OR optimiser', '"stochastic optimization" OR optimiser')],
  [follow('category', 'cs.CV', 'cs.CV')],
  [
    {
      type: 'liked',
      title: 'Stochastic Backpropagation and Approximate Inference in Deep Generative Models',
      terms: ['posterior'],
    },
  ],
  [{ type: 'reminder', on: '2026-05-21' }],
  [{ type: 'trending', fill: true }],
];
