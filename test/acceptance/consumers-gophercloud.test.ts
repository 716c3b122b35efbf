import { describe } from 'vitest';
import { byGo, testChecks } from './support/consumers.ts';
import { hasGophercloud } from './support/gophercloud.ts';

if (!hasGophercloud)
  process.stdout.write('skipped: no go, or no golang-github-gophercloud-gophercloud-dev of Debian\n');

describe.skipIf(!hasGophercloud)('gophercloud, which tools written in Go use', () => {
  testChecks(
    'gophercloud_images.go',
    [
      'create: attributes, tags and properties come back',
      'list: filters, in pages',
      'update: every patch that it has',
      'upload, and download of the same bytes',
      'stage and import by glance-direct',
      'import by web-download',
      'import methods are listed',
      'members: share, accept, list, show, take back',
      'tasks: create, show until it ends, list',
      'refusals are errors of its kinds',
      'delete: once',
    ],
    byGo,
  );
});
