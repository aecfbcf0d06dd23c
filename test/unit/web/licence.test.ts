import { expect, test } from 'vitest';
import { licenceOf } from '#src/web/pages/licence.ts';

test.each([
  ['http://creativecommons.org/licenses/by-nc-sa/4.0/', 'CC BY-NC-SA 4.0', true],
  ['http://creativecommons.org/publicdomain/zero/1.0/', 'CC0', true],
  ['http://creativecommons.org/licenses/publicdomain/', 'public domain', true],
  [
    'http://arxiv.org/licenses/nonexclusive-distrib/1.0/',
    'arXiv.org, non-exclusive licence to distribute',
    true,
  ],
  ['cc_by_nc_nd', 'CC BY-NC-ND', false],
  ['cc_no', 'all rights reserved, no reuse without permission', false],
  ['https://example.org/terms', 'https://example.org/terms', true],
  ['javascript:alert(1)', 'javascript:alert(1)', false],
  ['constructor', 'constructor', false],
])('the licence %s is called %s', (license, name, linked) => {
  expect(licenceOf(license)).toEqual({ name, url: linked ? license : null });
});
