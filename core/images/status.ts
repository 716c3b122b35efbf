/** Image status machine (contract: images.md section 3). The rules of the lifecycle are this table, not branches. */
export const IMAGE_STATUSES = [
  'queued',
  'saving',
  'active',
  'killed',
  'deleted',
  'uploading',
  'importing',
  'pending_delete',
  'deactivated',
] as const;
export type ImageStatus = (typeof IMAGE_STATUSES)[number];

const NEXT_STATUSES: Readonly<Record<ImageStatus, readonly ImageStatus[]>> = {
  queued: ['saving', 'uploading', 'importing', 'active', 'deleted'],
  saving: ['active', 'killed', 'deleted', 'queued'],
  uploading: ['importing', 'queued', 'deleted'],
  importing: ['active', 'deleted', 'queued'],
  active: ['pending_delete', 'deleted', 'deactivated'],
  deactivated: ['active', 'deleted'],
  killed: ['deleted'],
  pending_delete: ['deleted', 'active'],
  deleted: [],
};

/** Whether an image in status `from` may be written with status `to`; staying is no transition, so that a write may run twice. */
export function mayMove(from: ImageStatus, to: ImageStatus): boolean {
  return from === to || NEXT_STATUSES[from].includes(to);
}
