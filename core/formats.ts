/** Printed from the formats' traits and writers (formats/) by `npm run docs:formats`; not to be edited. */

/** Formats that an import stores as they are, whatever the configuration says. */
export const KEPT_FORMATS: readonly string[] = ['ova', 'iso', 'docker', 'luks', 'aki', 'ari', 'ami'];

/** Containers that are formats of their own: their content is looked at. */
export const CONTAINER_FORMATS: readonly string[] = ['ova', 'docker'];

/** Extensions of dropped files, and the disk format they mean. */
export const FORMAT_OF_EXTENSION: Readonly<Record<string, string>> = {
  qcow2: 'qcow2',
  vmdk: 'vmdk',
  vhd: 'vhd',
  vpc: 'vhd',
  vhdx: 'vhdx',
  vdi: 'vdi',
  hds: 'ploop',
  iso: 'iso',
  raw: 'raw',
};

/** What a conversion can make. */
export const CONVERSION_TARGETS = ['raw', 'qcow2', 'vmdk', 'vhd', 'vhdx'] as const;

/** Compressions that some target offers. */
export const COMPRESSIONS = ['none', 'zlib', 'zstd'] as const;

/** Forms of the targets that are written in several. */
export const SUBFORMATS = ['dynamic', 'fixed'] as const;

/** Properties that say how a target was written, by format. */
export const TARGET_PROPERTIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  vmdk: { vmware_disktype: 'streamOptimized' },
};
