/** AKI and ARI images: kernels and ramdisks, opaque bytes with a few facts. AMI images are raw disks or filesystems. */

import { finding } from '../engine/findings.ts';
import type { FormatFacts, FormatModule } from '../engine/image.ts';
import { opaqueImage } from '../engine/opaque-image.ts';
import { kernelFacts } from './kernel.ts';
import { ramdiskFacts } from './ramdisk.ts';
import { AKI, ARI } from './traits.ts';

/** Amazon kernel image: any Linux kernel. */
export const akiModule: FormatModule = {
  ...AKI,
  safetyRules: ['unknown_kernel'],
  probe: ({ head }) => kernelFacts(head) !== undefined,
  async inspect(source, { head }): Promise<FormatFacts> {
    const facts = kernelFacts(head);
    if (facts === undefined) return notOne('aki', source.size, 'no kernel header');
    return {
      format: 'aki',
      virtualSize: source.size,
      subformat: facts.kernel,
      findings: [],
      details: {
        kernel: facts.kernel,
        ...(facts.architecture === undefined ? {} : { architecture: facts.architecture }),
        ...(facts.kernelVersion === undefined ? {} : { kernel_version: facts.kernelVersion }),
        ...(facts.bootProtocol === undefined ? {} : { boot_protocol: facts.bootProtocol }),
        ...(facts.compression === undefined ? {} : { compression: facts.compression }),
      },
    };
  },
  open: async (source) => opaqueImage('aki', source),
};

/** Amazon ramdisk image: a cpio archive, plain, gzip or zstd. */
export const ariModule: FormatModule = {
  ...ARI,
  safetyRules: ['unknown_kernel'],
  probe: ({ head }) => ramdiskFacts(head) !== undefined,
  async inspect(source, { head }): Promise<FormatFacts> {
    const facts = ramdiskFacts(head);
    if (facts === undefined) return notOne('ari', source.size, 'no cpio archive');
    return { format: 'ari', virtualSize: source.size, findings: [], details: { ...facts } };
  },
  open: async (source) => opaqueImage('ari', source),
};

/** Its owner says so, and nothing else knows the bytes: Glance looks at no kernel, and boards boot what only they know. */
function notOne(format: 'aki' | 'ari', size: number, why: string): FormatFacts {
  return { format, virtualSize: size, findings: [finding('unknown_kernel', `${format}: ${why}`)], details: {} };
}
