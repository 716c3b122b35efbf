/**
 * Image records whose writes count (core/quota/counter.ts): what an image then takes more is reserved before the write, with the limits;
 * what it takes less is given back after it. Every way in goes through these three writes, so none can pass a limit.
 */

import { isCounted } from '../quota/ceilings.ts';
import { type CounterDeps, count, reserve } from '../quota/counter.ts';
import { growthOf, isNothing, minus, NO_USAGE, type ProjectUsage, plus } from '../quota/usage.ts';
import { applied } from './applied.ts';
import { assertTransition, meets, refusal } from './expectation.ts';
import type { Image } from './image.ts';
import type { ImageChange, ImageRecords, ImageRepository } from './repository.ts';
import { usageOfImage } from './usage.ts';

/** What each project takes more or less. */
type Moves = ReadonlyMap<string | null, ProjectUsage>;
const NO_MOVES: Moves = new Map();

export function countedImages(records: ImageRecords, deps: CounterDeps): ImageRepository {
  if (!isCounted(deps.config)) return records;
  return {
    get: (id) => records.get(id),
    noteProgress: (...progress) => records.noteProgress(...progress),

    /** The image itself was counted by who makes it, in the order of its checks. */
    async create(image) {
      await records.create(image);
      await count(deps, image.owner, { ...usageOfImage(image), images: 0 });
    },

    async change(id, change) {
      if (!mayMoveUsage(change)) return records.change(id, change);
      assertTransition(change);
      const known = await records.get(id);
      if (known === undefined || !meets(known, change.expect)) throw refusal(id, known, change.expect);
      const reserved = await reserveAll(deps, movesOf(known, change));
      const swap = await records.swap(id, change);
      const moved = 'refused' in swap ? NO_MOVES : moves(swap.before, swap.after);
      for (const [project, amount] of owed(reserved, moved, swap.isCertain)) await count(deps, project, amount);
      if ('refused' in swap) throw swap.refused;
      return swap.after;
    },

    async delete(id, expect) {
      const last = await records.delete(id, expect);
      await count(deps, last.owner, minus(NO_USAGE, usageOfImage(last)));
      return last;
    },
  };
}

const MOVING = ['status', 'size', 'staged', 'lock', 'owner'] as const;

function mayMoveUsage({ set = {}, addLocations, removeLocations, importingTo }: ImageChange): boolean {
  return MOVING.some((key) => set[key] !== undefined) || Boolean(addLocations ?? removeLocations ?? importingTo);
}

const movesOf = (image: Image, change: ImageChange): Moves => moves(image, applied(image, change, image.updatedAt));

function moves(before: Image, after: Image): Moves {
  const [was, is] = [usageOfImage(before), usageOfImage(after)];
  if (before.owner === after.owner) return new Map([[after.owner, minus(is, was)]]);
  return new Map([
    [before.owner, minus(NO_USAGE, was)],
    [after.owner, is],
  ]);
}

/** @throws LimitExceeded; what was reserved for another project is given back */
async function reserveAll(deps: CounterDeps, expected: Moves): Promise<Moves> {
  const reserved = new Map<string | null, ProjectUsage>();
  for (const [project, difference] of expected) {
    const growth = growthOf(difference);
    if (isNothing(growth)) continue;
    await reserve(deps, project, growth);
    reserved.set(project, growth);
  }
  return reserved;
}

/**
 * What is to be counted after a write, so that it and what was reserved make what moved. A write that may have been made twice, or in
 * spite of its refusal, gives nothing back that it reserved: the next count of the records tells.
 */
function owed(reserved: Moves, moved: Moves, isCertain: boolean): Moves {
  const projects = new Set([...reserved.keys(), ...moved.keys()]);
  return new Map(
    [...projects].map((project) => {
      const [kept, real] = [reserved.get(project) ?? NO_USAGE, moved.get(project) ?? NO_USAGE];
      const rest = minus(real, kept);
      return [project, isCertain ? rest : plus(growthOf(rest), minus(NO_USAGE, growthOf(minus(NO_USAGE, real))))];
    }),
  );
}
