/** The openrc files, as clients read them: each of the four is scoped to its project, with every client that is there. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { credentials, type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { hasGophercloud, runGo } from './support/gophercloud.ts';

let glimpse: Glimpse;
beforeAll(async () => {
  glimpse = await startGlimpse();
});
afterAll(() => glimpse.stop());

const ACCOUNTS = { admin: 'admin', demo: 'demo', alt: 'alt', reader: 'demo' } as const;

it.each(Object.entries(ACCOUNTS))('openstack as %s gets a token of project %s', async (account, project) => {
  const issued = await glimpse.openstack<{ project_id?: string }>(account as keyof typeof ACCOUNTS, 'token', 'issue');
  const { id } = await glimpse.openstack<{ id: string }>('admin', 'project', 'show', project);

  expect(issued.project_id).toBe(id);
});

const PROGRAM = `package main

import (
	"fmt"
	"os"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/images"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	options, err := openstack.AuthOptionsFromEnv()
	must(err)
	provider, err := openstack.AuthenticatedClient(options)
	must(err)
	client, err := openstack.NewImageServiceV2(provider, gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")})
	must(err)
	image, err := images.Create(client, images.CreateOpts{Name: "made by gophercloud"}).Extract()
	must(err)
	fmt.Print(image.Owner)
}
`;

const gophercloud = it.skipIf(!hasGophercloud);

gophercloud(
  `gophercloud makes an image (skipped without go and the package golang-github-gophercloud-gophercloud-dev)`,
  async () => {
    const owner = await runGo(PROGRAM, await credentials(glimpse.dataDir, 'demo'));

    const { id } = await glimpse.openstack<{ id: string }>('admin', 'project', 'show', 'demo');
    expect(owner).toBe(id);
  },
);
