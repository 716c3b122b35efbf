import type { Examination } from '../engine/block-format.ts';
import type { Descriptor, DescriptorExtent } from './descriptor.ts';

/** createType values whose data is in the file itself; every other one names other files or devices (CVE-2022-47951). */
const SELF_CONTAINED: Readonly<Record<string, string>> = {
  monolithicsparse: 'monolithicSparse',
  streamoptimized: 'streamOptimized',
};

/** `vmware_disktype` of Glance and Nova, by lower-case createType. */
const DISK_TYPE: Readonly<Record<string, string>> = {
  streamoptimized: 'streamOptimized',
  monolithicsparse: 'sparse',
  twogbmaxextentsparse: 'sparse',
  '2gbmaxextentsparse': 'sparse',
  vmfssparse: 'sparse',
  vmfsthin: 'thin',
  sesparse: 'sparse',
  monolithicflat: 'preallocated',
  twogbmaxextentflat: 'preallocated',
  '2gbmaxextentflat': 'preallocated',
  vmfs: 'preallocated',
  vmfspreallocated: 'preallocated',
  vmfseagerzeroedthick: 'eagerZeroedThick',
};

/** `vmware_adaptertype` and the bus it sits on, by lower-case `ddb.adapterType`. */
const ADAPTERS: Readonly<Record<string, readonly [adapter: string, bus: string]>> = {
  ide: ['ide', 'ide'],
  lsilogic: ['lsiLogic', 'scsi'],
  buslogic: ['busLogic', 'scsi'],
  pvscsi: ['paraVirtual', 'scsi'],
  lsisas1068: ['lsiLogicsas', 'scsi'],
  legacyesx: ['legacyESX', 'scsi'],
};

const NO_PARENT = 'ffffffff';
/** A name that leads out of the directory, or is no file name at all: path, drive, scheme, hidden or relative. */
const PATH_LIKE = /[/\\:]|^\./;

/** Notes what a descriptor says, for users and for Nova. */
export function noteDescriptor({ entries, database }: Descriptor, exam: Examination): void {
  const createType = entries.get('createtype');
  const adapterType = database.get('ddb.adaptertype');
  const [adapter, bus] = ADAPTERS[adapterType?.toLowerCase() ?? ''] ?? [];
  exam.subformat = createType;
  const details = {
    create_type: createType,
    vmware_disktype: DISK_TYPE[createType?.toLowerCase() ?? ''],
    adapter_type: adapterType,
    vmware_adaptertype: adapter,
    hw_disk_bus: bus,
    hw_disk_bus_hint: bus,
    hw_version: database.get('ddb.virtualhwversion'),
    tools_version: database.get('ddb.toolsversion'),
    cid: entries.get('cid'),
  };
  for (const [key, value] of Object.entries(details)) if (value !== undefined) exam.details[key] = value;
}

/** Reports everything that makes a descriptor unsafe, wherever it stands. */
export function checkDescriptor(descriptor: Descriptor, exam: Examination): void {
  for (const problem of descriptor.problems) exam.report('vmdk_descriptor', problem);
  checkCreateType(descriptor, exam);
  checkParent(descriptor, exam);
  if (descriptor.extents.length !== 1) {
    exam.report('vmdk_descriptor', `the descriptor lists ${descriptor.extents.length} extents, one is allowed`);
  }
  for (const extent of descriptor.extents) checkExtent(extent, exam);
}

function checkCreateType({ entries }: Descriptor, exam: Examination): void {
  const createType = entries.get('createtype');
  if (createType === undefined) exam.report('vmdk_descriptor', 'the descriptor has no createType');
  else if (SELF_CONTAINED[createType.toLowerCase()] === undefined) {
    exam.report('vmdk_type', `VMDK createType ${JSON.stringify(createType)} keeps its data in other files or devices`);
  }
}

function checkParent({ entries }: Descriptor, exam: Examination): void {
  const parent = entries.get('parentcid') ?? NO_PARENT;
  const hint = entries.get('parentfilenamehint');
  if (parent.toLowerCase() !== NO_PARENT || hint !== undefined) {
    exam.report('differencing', `the VMDK stands on a parent disk (parentCID ${parent.slice(0, 40)})`);
  }
}

function checkExtent({ access, type, file }: DescriptorExtent, exam: Examination): void {
  if (type !== 'SPARSE') exam.report('external_extent', `the descriptor has an extent of type ${type.slice(0, 40)}`);
  if (access === 'NOACCESS') exam.report('vmdk_descriptor', 'the extent of the descriptor is marked NOACCESS');
  if (file === undefined || file === '' || PATH_LIKE.test(file)) {
    exam.report(
      'external_extent',
      `the extent's file ${JSON.stringify(file?.slice(0, 80) ?? '')} is not a plain file name`,
    );
  }
}
