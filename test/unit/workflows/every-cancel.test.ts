/**
 * A cancellation at every step: before its call, after its first, middle and last write, and when it has ended. The image is queued with
 * its stage kept (or active, where it was before), or the import was over, and then it ended as an undisturbed one. Nothing is stray, and an hour later nothing is kept.
 */
import { describe, expect, it } from 'vitest';
import { CANCELLED } from '../../../core/imports/revert.ts';
import { importImage } from '../../../workflows/import-image.ts';
import { differences } from '../../support/faults/differences.ts';
import { CANCELLATION, fault } from '../../support/faults/kinds.ts';
import { momentsOf, type Played, play } from '../../support/faults/play.ts';
import { SCENARIOS } from '../../support/faults/scenarios.ts';
import { taskStates } from '../../support/faults/steps.ts';

const STATES = taskStates(importImage);

describe.each(Object.entries(SCENARIOS))('%s', (_name, scenario) => {
  it('leaves the image as it was before', async () => {
    const quiet = await play(scenario);
    const states = STATES.filter((state) => scenario.struck?.includes(state) ?? quiet.writes.has(state));
    const wrong: string[] = [];
    for (const state of states)
      for (const moment of momentsOf(CANCELLATION.at, quiet.writes.get(state) ?? 0)) {
        const played = await play(scenario, (stage) => fault(state, CANCELLATION, moment, stage));
        wrong.push(...faultsOf(played, quiet).map((text) => `${state}, ${moment}: ${text}`));
      }
    expect(wrong).toEqual([]);
  });
});

function faultsOf({ violations, kept, end, failures }: Played, quiet: Played): string[] {
  const [last] = (kept?.end ?? end).tasks;
  const isCancelled = last?.message === CANCELLED;
  const early = (kept?.violations ?? []).filter((text) => !text.startsWith('the duty kept:'));
  return [
    ...violations,
    ...early.map((text) => `within the hour: ${text}`),
    ...(isCancelled ? [...failures, ...faultsOfImage(last, kept?.end.images ?? [])] : differences(quiet.end, end)),
  ];
}

type Snapshot = NonNullable<Played['kept']>['end'];

/** Of the image whose import was cancelled, within the hour. */
function faultsOfImage(task: Snapshot['tasks'][number], images: Snapshot['images']): string[] {
  const image = images.find(({ id }) => id === task.imageId);
  if (image === undefined || task.import === undefined) return [];
  const { method, allStoresMustSucceed } = task.import;
  const mayBeActive = !allStoresMustSucceed || method.name === 'copy-image' || method.name === 'location';
  if (image.status === 'active') return mayBeActive ? [] : ['the image is active'];
  const { status, staged, locations, size } = image;
  const isStaged = method.name === 'glance-direct' || (method.name === 'drop' && task.facts.source !== undefined);
  const wanted = { status: 'queued', staged: isStaged ? task.id : undefined, locations: [], size: null };
  return differences(wanted, { status, staged: staged?.kept?.taskId, locations, size });
}
