import type { OvfMachine } from './ovf.ts';

/** Controller names of OVF (lower case) → values of `vmware_adaptertype`. */
const ADAPTERS: Readonly<Record<string, string>> = {
  lsilogic: 'lsiLogic',
  lsilogicsas: 'lsiLogicsas',
  buslogic: 'busLogic',
  virtualscsi: 'paraVirtual',
  pvscsi: 'paraVirtual',
};

/** Network adapter names of OVF (lower case) → values of `hw_vif_model`. */
const ADAPTER_MODELS: Readonly<Record<string, string>> = {
  e1000: 'e1000',
  e1000e: 'e1000e',
  vmxnet3: 'vmxnet3',
  pcnet32: 'pcnet',
  virtio: 'virtio',
};

/**
 * Image properties that an OVF suggests: hints, which never overwrite what a user set. `min_ram` in MiB. Keys are the
 * names Glance and Nova know (facts section 14).
 */
export function propertyHints(machine: OvfMachine): Record<string, string | number> {
  const adapter = machine.diskBus === 'ide' ? 'ide' : ADAPTERS[machine.diskController?.toLowerCase() ?? ''];
  const vif = machine.networkAdapters
    .map((name) => ADAPTER_MODELS[name.toLowerCase()])
    .find((name) => name !== undefined);
  const hints = {
    vmware_adaptertype: adapter,
    hw_disk_bus: machine.diskBus,
    hw_vif_model: vif,
    min_ram: machine.memoryMib,
    hw_firmware_type: machine.firmware,
    vmware_ostype: machine.osType,
  };
  return Object.fromEntries(
    Object.entries(hints).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
}
