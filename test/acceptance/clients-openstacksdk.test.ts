import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useWorld } from './support/client-rows.ts';

const world = useWorld({});

it('a program: uploads, imports, 250 images in pages, deactivation, sharing, downloads that verify, refusals in words', async () => {
  const { glimpse, file, uri } = world();
  const tour = join(import.meta.dirname, 'support/openstacksdk-tour.py');

  const printed = await glimpse.client('demo', 'env', [
    ...['-u', 'OS_USERNAME', '-u', 'OS_PASSWORD', `OS_CLIENT_CONFIG_FILE=${join(glimpse.dataDir, 'clouds.yaml')}`],
    ...['/usr/bin/python3', tour, file, uri],
  ]);

  expect(JSON.parse(printed)).toMatchObject({
    import_methods: ['glance-direct', 'web-download', 'copy-image'],
    stores: ['central', 'dcn0', 'dcn1'],
    paged: 250,
    not_shared: expect.stringContaining('No image found with ID') as string,
    not_public: expect.stringContaining('You are not authorized to complete publicize_image action') as string,
    protected: expect.stringContaining('is protected and cannot be deleted') as string,
    deleted: expect.stringContaining('No image found with ID') as string,
  });
});
