import type { Duty, DutyRepository } from '../../../core/duties/duty.ts';
import { byText, Records } from './records.ts';

export function memoryDuties(): DutyRepository {
  const duties = new Records<Duty>();
  return {
    put: async (duty) => duties.set(duty.id, duty),
    async postpone(duty, lateEnoughMs) {
      if ((duties.get(duty.id)?.dueAtMs ?? lateEnoughMs) > lateEnoughMs) return false;
      duties.set(duty.id, duty);
      return true;
    },
    async remove(id) {
      duties.delete(id);
    },
    due: async (nowMs, limit) =>
      duties
        .values()
        .filter(({ dueAtMs }) => dueAtMs <= nowMs)
        .toSorted((a, b) => a.dueAtMs - b.dueAtMs || byText(a.id, b.id))
        .slice(0, limit),
  };
}
