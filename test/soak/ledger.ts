/** What a service has acknowledged, and so must keep, whatever becomes of its processes. */
import { createHash } from 'node:crypto';
import type { Glimpse } from '../support/glimpse.ts';

/** One image, as far as its client was told. */
export interface Entry {
  readonly id: string;
  /** POST was answered. */
  isCreated: boolean;
  /** What it must have from the moment its bytes were taken on: hex md5 of a download. */
  md5: string;
  /** Its bytes were acknowledged, by an answer to their upload or by being shown active. */
  isActive: boolean;
  /** A delete was sent; it was answered. */
  isDeleting: boolean;
  isDeleted: boolean;
  /** Last value of the property that was acknowledged, and those that were sent since. */
  property: string | undefined;
  sent: string[];
  /** Somebody works on it. */
  isBusy: boolean;
}

export class Ledger {
  readonly entries = new Map<string, Entry>();
  readonly counts = new Map<string, { asked: number; acknowledged: number }>();
  /** Images whose bytes were compared, over all rounds. */
  compared = 0;

  begin(id: string, md5: string): Entry {
    const entry: Entry = {
      ...{ id, md5, isCreated: false, isActive: false, isDeleting: false, isDeleted: false },
      ...{ property: undefined, sent: [], isBusy: true },
    };
    this.entries.set(id, entry);
    return entry;
  }

  count(operation: string, isAcknowledged: boolean): void {
    const counted = this.counts.get(operation) ?? { asked: 0, acknowledged: 0 };
    counted.asked += 1;
    if (isAcknowledged) counted.acknowledged += 1;
    this.counts.set(operation, counted);
  }

  /** One sentence for each thing that was acknowledged and is not so. Nobody may be at work. */
  async losses(glimpse: Glimpse): Promise<string[]> {
    const found: string[] = [];
    for (const entry of this.entries.values()) {
      const loss = await this.#lossOf(glimpse, entry);
      if (loss !== undefined) found.push(`image ${entry.id}: ${loss}`);
    }
    return found;
  }

  async #lossOf(glimpse: Glimpse, entry: Entry): Promise<string | undefined> {
    const response = await glimpse.api('demo', 'GET', `/v2/images/${entry.id}`);
    const text = await response.text();
    if (entry.isDeleted) return response.status === 404 ? undefined : `was deleted, and answers ${response.status}`;
    if (response.status === 404 && entry.isCreated) return entry.isDeleting ? undefined : 'is gone';
    // It was never made, and nobody is left who could make it.
    if (response.status === 404) return void this.entries.delete(entry.id);
    if (response.status !== 200) return `answers ${response.status}`;
    const image = JSON.parse(text) as Record<string, unknown>;
    const value = image['soak'];
    if (value !== entry.property && !entry.sent.includes(String(value))) return `its property is ${String(value)}`;
    if (image['status'] !== 'active')
      return entry.isActive ? `was active, and is ${String(image['status'])}` : undefined;
    if (image['checksum'] !== entry.md5) return `its checksum is ${String(image['checksum'])}, not ${entry.md5}`;
    const file = await glimpse.api('demo', 'GET', `/v2/images/${entry.id}/file`);
    const bytes = Buffer.from(await file.arrayBuffer());
    this.compared += 1;
    const md5 = createHash('md5').update(bytes).digest('hex');
    if (file.status !== 200 || md5 !== entry.md5)
      return `its download answers ${file.status} with ${bytes.length} other bytes`;
    return undefined;
  }
}
