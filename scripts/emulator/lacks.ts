/**
 * What emulators lack of AWS, as data: what the service does instead, and the line that says so at a start. All that differs between
 * them is here and in provisioning; the product knows nothing of it.
 */
import type { Abilities } from '../provision.ts';
import type { Emulator } from './health.ts';

interface Lack {
  readonly what: string;
  readonly instead: string;
}

interface Kind {
  /** The version that was tried (docs/local.md). */
  readonly tried?: string;
  readonly abilities: Abilities;
  readonly lacks: readonly Lack[];
}

const NO_CONTAINERS: Lack = {
  what: 'runs no containers (ecs:runTask.sync)',
  instead: 'every step has its function alone, 15 minutes at most',
};
const NO_POLICIES: Lack = { what: 'asks no policies', instead: 'roles are judged by `npm start -- --as-deployed`' };

const KINDS: Readonly<Record<string, Kind>> = {
  LocalStack: {
    tried: '4.13.1',
    abilities: { schedules: false, containers: false },
    lacks: [
      { what: 'fires no schedules of EventBridge Scheduler', instead: 'the janitor runs by a rule with a rate' },
      NO_CONTAINERS,
      NO_POLICIES,
    ],
  },
  MiniStack: {
    tried: '1.5.33',
    abilities: { schedules: true, containers: false },
    lacks: [
      {
        what: 'refuses uploads in parts that carry a CRC32 of the whole object',
        instead: 'what is above 16 MiB and is not raw cannot be stored',
      },
      { what: 'keeps objects in memory', instead: 'they are gone when it ends' },
      NO_CONTAINERS,
      NO_POLICIES,
    ],
  },
};

/** Of what has not been tried: the least. */
const UNKNOWN: Kind = { abilities: { schedules: false, containers: false }, lacks: [NO_CONTAINERS] };

export interface EmulatorTraits {
  readonly abilities: Abilities;
  /** `LocalStack 4.13.1` */
  readonly title: string;
  /** For the terminal, one line each. */
  readonly lines: readonly string[];
}

/** @param dynamodb where DynamoDB is, when it is not the emulator's own */
export function traitsOf({ name, version }: Emulator, dynamodb: string | undefined): EmulatorTraits {
  const kind = Object.hasOwn(KINDS, name) ? (KINDS[name] ?? UNKNOWN) : UNKNOWN;
  const title = [name, version].filter((word) => word !== undefined).join(' ');
  const isOther = kind.tried === undefined ? true : version !== kind.tried;
  const tried =
    kind.tried === undefined ? 'this emulator was not tried' : `${kind.tried} is the version that was tried`;
  return {
    abilities: kind.abilities,
    title,
    lines: [
      ...(isOther ? [`${title}: ${tried}: what it lacks beyond this is not known`] : []),
      ...kind.lacks.map(({ what, instead }) => `${title} ${what}: ${instead}`),
      ...(dynamodb === undefined ? [] : [`${title} is used without its DynamoDB: tables are at ${dynamodb}`]),
    ],
  };
}
