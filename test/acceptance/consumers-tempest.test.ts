/** Tempest, OpenStack's own acceptance suite, and its Glance plugin: the current release of PyPI, and Debian's. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { CORE_ONLY, CURRENT, isPresent, PYTHON } from './support/consumers.ts';
import { runTempest, type TempestResults, type TempestRun } from './support/tempest.ts';

interface Suite extends TempestRun {
  readonly says: string;
  readonly package: string;
  /** A file of it. */
  readonly marker: string;
  /** Tests that must pass at least: what is not found passes nothing. */
  readonly passes: number;
  readonly isCore?: true;
}

/** Contradicts what this service promises: not run, and said. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  test_image_web_download_import_with_bad_url:
    'wants a store to be blamed for a source that cannot be reached, or a refusal at once; here the task fails and blames no store',
};

/** Why Tempest skips: what is not there, or is not in its settings. */
const SKIPS: readonly RegExp[] = [
  /not configured with glance caching/,
  /bug: https:\/\/launchpad.net\/bugs\/\d+ is resolved/,
  /show_multiple_locations is not available|Locations API not enabled/,
  /http store is disabled|do_secure_hash is enabled/,
  /Nova is not available/,
  // The suite without enforcement runs it.
  /Image format enforcement prevents testing with bogus image data/,
];

const all = `^(?!.*(?:${Object.keys(LEFT_OUT).join('|')}))`;
const current = {
  package: 'Tempest of PyPI',
  python: join(CURRENT, 'bin/python'),
  marker: join(CURRENT, 'bin/tempest'),
};
const debian = { package: 'Debian’s tempest', python: PYTHON, marker: '/usr/bin/tempest' };

const SUITES: readonly Suite[] = [
  {
    says: 'the current Tempest: kernels and ramdisks, basic operations, imports, namespaces',
    ...current,
    tests: [
      String.raw`ListUserImagesTest|\.BasicOperationsImagesTest|MetadataNamespacesTest`,
      'ImportImagesTest.*(glance_direct_import|web_download|bad_endpoint)',
    ],
    formatsAreEnforced: false,
    passes: 18,
    isCore: true,
  },
  {
    says: 'the current Tempest: the whole image API',
    ...current,
    tests: [String.raw`${all}.*tempest\.api\.image\.v2`],
    formatsAreEnforced: true,
    passes: 60,
  },
  {
    says: 'the current Glance plugin of Tempest: what each persona may',
    ...current,
    tests: ['glance_tempest_plugin'],
    formatsAreEnforced: true,
    passes: 170,
  },
  {
    says: 'Tempest 33 of Debian: the whole image API',
    ...debian,
    tests: [String.raw`${all}.*tempest\.api\.image\.v2`],
    formatsAreEnforced: false,
    passes: 60,
  },
];

const suites = SUITES.filter(({ isCore }) => isCore === true || !CORE_ONLY);
describe.each(suites)('$says', (suite) => {
  if (!isPresent([suite.marker], suite.package)) {
    it.skip(`needs ${suite.package}`, () => undefined);
    return;
  }
  let glimpse: Glimpse;
  let results: TempestResults;
  const having = (begin: string): [string, string][] =>
    Object.entries(results).filter(([, result]) => result.startsWith(begin));

  beforeAll(async () => {
    glimpse = await startWithOwnRegion(suite.formatsAreEnforced);
    results = await runTempest(glimpse, suite);
  }, 4_000_000);
  afterAll(() => glimpse?.stop());

  it('passes, and says how many tests were run and why others were not', () => {
    const lines = [
      `${suite.says}: ${having('passed').length} passed, ${having('failed').length} failed, ${having('skipped').length} skipped`,
      ...having('skipped').map(([test, reason]) => `  ${reason} (${test})`),
      ...Object.entries(LEFT_OUT).map(([test, reason]) => `  left out: ${test} ${reason}`),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);

    expect(having('failed')).toEqual([]);
    expect(having('passed').length).toBeGreaterThanOrEqual(suite.passes);
  });

  it('skips for reasons that are known', () => {
    expect(having('skipped').filter(([, reason]) => !SKIPS.some((known) => known.test(reason)))).toEqual([]);
  });
});

/** A glance-download comes from the region itself, so the catalog has to have its address. */
async function startWithOwnRegion(enforced: boolean): Promise<Glimpse> {
  const port = await freePort();
  return startGlimpse({
    port,
    config: {
      public_endpoint: `http://127.0.0.1:${port}`,
      enabled_import_methods: ['glance-direct', 'web-download', 'copy-image', 'glance-download'],
      image_format: { require_image_format_match: enforced },
    },
  });
}
