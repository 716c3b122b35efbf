/** Other words for values, by property: what people and other systems write for what Nova and libosinfo call it (contract: properties.md sections 5 and 6). */
const ARCHITECTURES = {
  x86_64: ['amd64', 'x64', 'x86-64', 'em64t', 'intel64'],
  i686: ['i386', 'i486', 'i586', 'x86', 'x86_32', 'x86_32p', 'ia32'],
  aarch64: ['arm64', 'armv8', 'armv8l', 'arm64v8'],
  armv7l: ['arm', 'armv7', 'armhf', 'armv7hl', 'arm32v7'],
  ppc64le: ['ppc64el', 'powerpc64le', 'power8', 'power9', 'power10'],
  ppc64: ['powerpc64'],
  ppc: ['powerpc'],
  s390x: ['zarch'],
  ia64: ['itanium'],
  riscv64: ['risc-v', 'riscv'],
};

const DISTRIBUTIONS = {
  arch: ['archlinux', 'org.archlinux'],
  centos: ['org.centos'],
  debian: ['org.debian'],
  fedora: ['org.fedora', 'org.fedoraproject'],
  freebsd: ['org.freebsd'],
  gentoo: ['org.gentoo'],
  mandrake: ['mandrakelinux'],
  mandriva: ['mandrivalinux'],
  mes: ['mandrivaent', 'mandrivaes'],
  msdos: ['ms-dos'],
  netbsd: ['org.netbsd'],
  netware: ['novell'],
  openbsd: ['org.openbsd'],
  opensolaris: ['org.opensolaris'],
  opensuse: ['suse', 'org.opensuse'],
  rocky: ['rockylinux'],
  rhel: ['redhat', 'com.redhat'],
  sled: ['com.suse'],
  ubuntu: ['com.ubuntu', 'org.ubuntu', 'canonical'],
  windows: ['com.microsoft.server', 'windoze'],
};

const VM_MODES = { hvm: ['hv', 'baremetal'], xen: ['pv'] };

type Aliases = ReadonlyMap<string, string>;
const byAlias = (words: Readonly<Record<string, readonly string[]>>): Aliases =>
  new Map(Object.entries(words).flatMap(([word, others]) => others.map((other) => [other, word])));

const architectures = byAlias(ARCHITECTURES);
const ALIASES: ReadonlyMap<string, Aliases> = new Map([
  ['architecture', architectures],
  ['hw_architecture', architectures],
  ['hw_emulation_architecture', architectures],
  ['os_distro', byAlias(DISTRIBUTIONS)],
  ['vm_mode', byAlias(VM_MODES)],
  ['hw_vm_mode', byAlias(VM_MODES)],
]);

/** The word that a value stands for; undefined when it is no other word for anything. */
export function meantBy(property: string, value: string): string | undefined {
  return ALIASES.get(property)?.get(value.toLowerCase());
}
