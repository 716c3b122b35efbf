/**
 * What the formats with a block table share (VMDK, VHD, VHDX, VDI, ploop). A format says how its structures are examined;
 * this file turns that into a module: `inspect` reports everything it can, `open` refuses what any finding refuses.
 */
import { blockImage } from './block-image.ts';
import type { BlockMap } from './block-map.ts';
import { survey } from './block-map.ts';
import { Unsafe, Unsupported } from './errors.ts';
import type { Finding, FindingCode } from './findings.ts';
import { asFinding, finding } from './findings.ts';
import type { FormatFacts, FormatModule, FormatName } from './image.ts';
import type { ByteSource } from './source.ts';
import type { TablePages } from './table-pages.ts';
import type { FormatTraits } from './traits.ts';

/** What an examination has found so far; it stays when the examination ends early. */
export class Examination {
  readonly findings: Finding[] = [];
  readonly details: Record<string, unknown> = {};
  virtualSize: number | undefined;
  blockSize: number | undefined;
  subformat: string | undefined;

  /** Notes something about the image; examination goes on. */
  report(code: FindingCode, message: string): void {
    this.findings.push(finding(code, message));
  }

  /** The first finding that forbids opening the image. */
  get refusal(): Finding | undefined {
    return this.findings.find(({ severity }) => severity === 'refuse');
  }
}

/** Where the guest bytes of an examined image are. */
export interface Layout {
  readonly map: BlockMap;
  /** The bytes that the map's offsets refer to: the object, or the object with a journal applied. */
  readonly source: ByteSource;
  readonly tables: TablePages;
}

export interface BlockFormat extends FormatTraits {
  readonly format: FormatName;
  readonly safetyRules: FormatModule['safetyRules'];
  readonly probe: FormatModule['probe'];
  /**
   * Reads the structures in order, notes facts and findings, and gives the layout; undefined when the image is of a
   * kind that has none of its own (a finding says so). Throws typed errors where going on makes no sense.
   */
  examine(source: ByteSource, exam: Examination): Promise<Layout | undefined>;
}

/** The module of a format with a block table. */
export function blockFormat(spec: BlockFormat): FormatModule {
  const { examine, ...rest } = spec;
  return {
    ...rest,
    async inspect(source) {
      const exam = new Examination();
      let allocated: number | undefined;
      try {
        const layout = await examine(source, exam);
        if (layout !== undefined && exam.refusal === undefined) allocated = await survey(layout.map, layout.tables);
      } catch (error) {
        exam.findings.push(asFinding(error));
      }
      return facts(spec.format, exam, allocated);
    },
    async open(source) {
      const exam = new Examination();
      const layout = await examine(source, exam);
      if (exam.refusal !== undefined) throw new Unsafe(exam.refusal.code, exam.refusal.message);
      if (layout === undefined) throw new Unsupported(`${spec.format}: the image has no data of its own`);
      return blockImage(spec.format, layout.map, layout.source);
    },
  };
}

function facts(format: FormatName, exam: Examination, allocatedBytes: number | undefined): FormatFacts {
  const { virtualSize, blockSize, subformat, findings, details } = exam;
  return {
    format,
    ...(virtualSize === undefined ? {} : { virtualSize }),
    ...(allocatedBytes === undefined ? {} : { allocatedBytes }),
    ...(blockSize === undefined ? {} : { blockSize }),
    ...(subformat === undefined ? {} : { subformat }),
    findings,
    details,
  };
}
