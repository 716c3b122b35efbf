/**
 * Every step under every fault: what is left in the end is what an undisturbed run leaves, down to the last object, or, where the fault
 * lasts, a failure with everything accounted for. Steps are those that the workflow and the topology declare.
 */
import { describe, expect, it } from 'vitest';
import { importImage } from '../../../workflows/import-image.ts';
import { differences } from '../../support/faults/differences.ts';
import { fault, KINDS } from '../../support/faults/kinds.ts';
import { EVENTS, momentsOf, type Played, play } from '../../support/faults/play.ts';
import { SCENARIOS } from '../../support/faults/scenarios.ts';
import { EVENT_FUNCTIONS, taskStates } from '../../support/faults/steps.ts';

const STATES = taskStates(importImage);
const isStep = (name: string): boolean => STATES.includes(name);
const isRequest = (name: string): boolean => !isStep(name) && !EVENT_FUNCTIONS.includes(name);

interface Rehearsed {
  readonly name: string;
  readonly quiet: Played;
  readonly struck: readonly string[];
}

const rehearsed: Rehearsed[] = [];
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  const quiet = await play(scenario);
  rehearsed.push({ name, quiet, struck: scenario.struck ?? [...quiet.writes.keys()] });
}

describe('undisturbed', () => {
  it.each(rehearsed)('$name leaves everything accounted for', ({ quiet, struck }) => {
    expect({ violations: quiet.violations, failures: quiet.failures }).toEqual({ violations: [], failures: [] });
    expect([...quiet.writes.keys()]).toEqual(expect.arrayContaining([...struck]));
  });

  it('every step of the workflow and every event is reached, and struck, by some scenario', () => {
    const struck = new Set(rehearsed.flatMap((scenario) => scenario.struck));

    expect([...STATES, ...EVENT_FUNCTIONS].filter((name) => !struck.has(name))).toEqual([]);
    expect(Object.keys(EVENTS).toSorted()).toEqual(EVENT_FUNCTIONS.toSorted());
  });
});

describe.each(rehearsed)('$name', ({ name, quiet, struck }) => {
  it.each(struck)('%s', async (state) => {
    const wrong: string[] = [];
    for (const [fate, kind] of Object.entries(KINDS)) {
      // An event that never works ends as a dead letter, for an operator.
      if (kind.end === 'accounted' && !isStep(state)) continue;
      if (kind.notForRequests === true && isRequest(state)) continue;
      for (const moment of momentsOf(kind.at, quiet.writes.get(state) ?? 0)) {
        const scenario = SCENARIOS[name];
        if (scenario === undefined) throw new Error(name);
        const { violations, end } = await play(scenario, (stage) => fault(state, kind, moment, stage));
        const found = [...violations];
        // A client that asks again may have done so twice.
        if (kind.end === 'same' && !isRequest(state)) found.push(...differences(quiet.end, end));
        wrong.push(...found.map((text) => `${fate}, ${moment}: ${text}`));
      }
    }
    expect(wrong).toEqual([]);
  });
});
