/** The standard catalog (etc/metadefs/) names what Nova and the documents know of images. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type LintInput, lintImage } from '../../../../api/metadefs/image-lint.ts';
import type { Definition } from '../../../../core/metadefs/namespace.ts';

/** Fields of ImageMetaProps of Nova, version 1.43, that are properties of images. */
const NOVA = [
  ...['hw_architecture', 'hw_emulation_architecture', 'hw_auto_disk_config', 'hw_boot_menu', 'hw_cdrom_bus'],
  ...['hw_cpu_cores', 'hw_cpu_sockets', 'hw_cpu_max_cores', 'hw_cpu_max_sockets', 'hw_cpu_max_threads'],
  ...['hw_cpu_policy', 'hw_cpu_thread_policy', 'hw_cpu_realtime_mask', 'hw_cpu_threads', 'hw_device_id'],
  ...['hw_disk_bus', 'hw_disk_type', 'hw_floppy_bus', 'hw_firmware_type', 'hw_firmware_stateless', 'hw_input_bus'],
  ...['hw_ipxe_boot', 'hw_locked_memory', 'hw_machine_type', 'hw_mem_encryption', 'hw_mem_encryption_model'],
  ...['hw_mem_page_size', 'hw_numa_nodes', 'hw_pci_numa_affinity_policy', 'hw_pointer_model', 'hw_pmu'],
  ...['hw_qemu_guest_agent', 'hw_rescue_bus', 'hw_rescue_device', 'hw_rng_model', 'hw_time_hpet'],
  ...['hw_serial_port_count', 'hw_scsi_model', 'hw_video_model', 'hw_video_ram', 'hw_vif_model', 'hw_viommu_model'],
  ...['hw_vm_mode', 'hw_watchdog_action', 'hw_vif_multiqueue_enabled', 'hw_tpm_model', 'hw_tpm_version'],
  ...['hw_ephemeral_encryption', 'hw_ephemeral_encryption_format', 'hw_ephemeral_encryption_secret_uuid'],
  ...['hw_virtio_packed_ring', 'hw_maxphysaddr_mode', 'hw_maxphysaddr_bits', 'hw_sound_model', 'hw_usb_model'],
  ...['hw_redirected_usb_ports', 'img_bittorrent', 'img_bdm_v2', 'img_block_device_mapping', 'img_cache_in_nova'],
  ...['img_compression_level', 'img_hv_requested_version', 'img_hv_type', 'img_config_drive', 'img_linked_clone'],
  ...['img_mappings', 'img_owner_id', 'img_root_device_name', 'img_use_agent', 'img_version', 'img_signature'],
  ...['img_signature_hash_method', 'img_signature_certificate_uuid', 'img_signature_key_type'],
  ...['img_hide_hypervisor_id', 'os_admin_user', 'os_command_line', 'os_distro', 'os_require_quiesce'],
  ...['os_secure_boot', 'os_skip_agent_inject_files_at_boot', 'os_skip_agent_inject_ssh', 'os_type'],
];

/** Its older names for some of them. */
const NOVA_OLDER = [
  ...['architecture', 'owner_id', 'vmware_disktype', 'vmware_image_version', 'vmware_ostype', 'auto_disk_config'],
  ...['ipxe_boot', 'xenapi_device_id', 'xenapi_image_compression_level', 'vmware_linked_clone', 'xenapi_use_agent'],
  ...['xenapi_skip_agent_inject_ssh', 'xenapi_skip_agent_inject_files_at_boot', 'cache_in_nova', 'vm_mode'],
  ...['bittorrent', 'mappings', 'block_device_mapping', 'bdm_v2', 'root_device_name', 'hypervisor_type'],
  ...['hypervisor_version_requires', 'vmware_adaptertype'],
];

/** The documents' appendix, and what Nova, Cinder and bare metal read or write beyond the above. */
const OTHERS = [
  ...['auto_disk_config', 'os_name', 'instance_uuid', 'kernel_id', 'ramdisk_id', 'os_version', 'hypervisor_type'],
  ...['instance_type_rxtx_factor', 'os_shutdown_timeout', 'hw_cpu_mode', 'img_type', 'rootfs_uuid', 'description'],
  ...['cinder_img_volume_type', 'cinder_encryption_key_id', 'cinder_encryption_key_deletion_policy', 'short-id'],
  ...['base_image_ref', 'boot_roles', 'image_location', 'image_state', 'image_type', 'owner_project_name'],
  ...['owner_user_name', 'user_id', 'signature_verified', 'hw_numa_cpus.0', 'hw_numa_mem.0'],
];

interface CatalogFile {
  readonly namespace: string;
  readonly resource_type_associations: readonly { readonly name: string; readonly prefix?: string }[];
  readonly properties: Readonly<Record<string, Definition>>;
}

const DIRECTORY = new URL('../../../../etc/metadefs/', import.meta.url);
const FILES = readdirSync(DIRECTORY).map(
  (name) => JSON.parse(readFileSync(new URL(name, DIRECTORY), 'utf8')) as CatalogFile,
);

/** As the API shows them for images. */
const namespaces: LintInput['namespaces'] = FILES.flatMap(({ namespace, resource_type_associations, properties }) => {
  const association = resource_type_associations.find(({ name }) => name === 'OS::Glance::Image');
  const prefixed = Object.entries(properties).map(([key, value]) => [`${association?.prefix ?? ''}${key}`, value]);
  return association === undefined ? [] : [{ namespace, properties: Object.fromEntries(prefixed) }];
});

const lint = (properties: Readonly<Record<string, string>>) =>
  lintImage({ image: { id: 'x', ...properties }, schema: { properties: { id: {} } }, namespaces });

test.each([
  ['Nova', NOVA],
  ['older Nova', NOVA_OLDER],
  ['the documents', OTHERS],
])('every property that %s names is known', (_, names) => {
  const unknown = lint(Object.fromEntries(names.map((name) => [name, 'x']))).filter(({ kind }) => kind !== 'value');

  expect(unknown).toEqual([]);
});

test('what an import writes into images is fine', () => {
  const written = {
    ...{ vmware_adaptertype: 'busLogic', vmware_disktype: 'streamOptimized', hw_disk_bus: 'scsi' },
    ...{ hw_firmware_type: 'uefi', architecture: 'x86_64', hw_vif_model: 'vmxnet3', vmware_ostype: 'ubuntu64Guest' },
  };

  expect(lint(written)).toEqual([]);
});

test.each([
  ['auto_disk_config', 'true', []],
  ['auto_disk_config', 'AUTO', ['value']],
  ['os_name', 'Debian GNU/Linux 12', []],
  ['hw_cpu_realtime_mask', '^0-1', []],
  ['hw_cpu_policy', 'mixed', []],
  ['architecture', 'amd64', ['value']],
  ['architecture', 'riscv64', []],
  ['hw_disk_buss', 'scsi', ['name']],
  ['of_our_own', 'x', ['unknown']],
])('%s=%s: %s', (property, value, kinds) => {
  expect(lint({ [property]: value }).map(({ kind }) => kind)).toEqual(kinds);
});
