/** The files a person sources: openrc (admin), openrc-demo, openrc-alt, openrc-reader, and clouds.yaml, in the data directory. */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { BOOTSTRAP_ACCOUNTS, type BootstrapPasswords } from '../core/identity/bootstrap.ts';

const FILES = { admin: 'openrc', demo: 'openrc-demo', alt: 'openrc-alt', reader: 'openrc-reader' } as const;
type Person = keyof typeof FILES;

/** Writes all five files, readable by their owner only; returns where each openrc lies. */
export async function writeCredentials(
  dataDir: string,
  url: string,
  region: string,
  passwords: BootstrapPasswords,
): Promise<Readonly<Record<Person, string>>> {
  const people = Object.keys(FILES) as Person[];
  const paths = Object.fromEntries(people.map((person) => [person, join(dataDir, FILES[person])])) as Record<
    Person,
    string
  >;
  await Promise.all([
    ...people.map((person) => writePrivately(paths[person], openrc(url, region, person, passwords[person]))),
    writePrivately(join(dataDir, 'clouds.yaml'), cloudsYaml(url, region, passwords)),
  ]);
  return paths;
}

function openrc(url: string, region: string, person: Person, password: string): string {
  const variables = {
    OS_AUTH_URL: `${url}/identity/v3`,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: person,
    OS_PASSWORD: password,
    OS_PROJECT_NAME: BOOTSTRAP_ACCOUNTS[person].project,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    // What is built on gophercloud (Terraform, Packer) reads no other domain; openstack, glance and the SDK scope to the project all the same.
    OS_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: region,
    OS_IMAGE_API_VERSION: '2',
  };
  return `${Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value}'`)
    .join('\n')}\n`;
}

function cloudsYaml(url: string, region: string, passwords: BootstrapPasswords): string {
  const cloud = (person: Person) => ({
    auth: {
      auth_url: `${url}/identity/v3`,
      username: person,
      password: passwords[person],
      project_name: BOOTSTRAP_ACCOUNTS[person].project,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
    },
    region_name: region,
    identity_api_version: '3',
    image_api_version: '2',
  });
  const clouds = Object.fromEntries(
    (Object.keys(FILES) as Person[]).map((person) => [
      person === 'admin' ? 'glimpse' : `glimpse-${person}`,
      cloud(person),
    ]),
  );
  return stringify({ clouds });
}

async function writePrivately(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
