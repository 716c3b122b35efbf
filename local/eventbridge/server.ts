import { join } from 'node:path';
import { AwsError, required } from '../wire/aws-error.ts';
import { openJournal } from '../wire/journal.ts';
import { isObject, type Json, type JsonObject, stringAt } from '../wire/json.ts';
import type { JsonService, Operation } from '../wire/json-rpc.ts';
import type { DeliveryQueue } from './delivery-queue.ts';
import { type BusEvent, busEvent } from './event.ts';
import { matches, patternProblem } from './pattern.ts';
import { targetInput } from './target-input.ts';

/** PutEvents takes at most 10 entries and 256 KiB on AWS; the body here may be somewhat larger. */
const BODY_LIMIT = 2 * 1024 * 1024;
const MAX_ENTRIES = 10;
const ENTRY_LIMIT = 262_144;

interface Rule {
  name: string;
  pattern: string;
  description: string;
  enabled: boolean;
  targets: JsonObject[];
}

type Line = { rule: Rule } | { deleted: string };

/** A bus with its rules. */
export interface EventBridge {
  readonly service: JsonService;
  /** Matches an event against the rules and queues one delivery per target, durably, before it returns. */
  deliver(event: BusEvent): void;
  /** PutEvents for callers in this process. */
  putEvents(entries: Json): JsonObject;
  close(): void;
}

/** Opens the embedded EventBridge: one bus, `default` (Amazon EventBridge API Reference; AWS JSON 1.1). */
export function openEventBridge(options: { dataDir?: string | undefined; queue: DeliveryQueue }): EventBridge {
  const path = options.dataDir === undefined ? undefined : join(options.dataDir, 'rules.jsonl');
  const { journal, records } = openJournal<Line>(path);
  const rules = new Map<string, Rule>();
  for (const line of records) {
    if ('rule' in line) rules.set(line.rule.name, line.rule);
    else rules.delete(line.deleted);
  }
  journal.rewrite([...rules.values()].map((rule) => ({ rule })));

  const save = (rule: Rule): void => {
    rules.set(rule.name, rule);
    journal.append({ rule });
  };
  const deliver = (event: BusEvent): void => {
    const asJson = event as unknown as JsonObject;
    const hit = [...rules.values()].filter((rule) => rule.enabled && matches(JSON.parse(rule.pattern), asJson));
    options.queue.add(
      hit.flatMap((rule) =>
        rule.targets.map((target) => ({
          target: String(target['Arn']),
          payload: targetInput(target, asJson),
          origin: `rule ${rule.name}`,
        })),
      ),
    );
  };
  const putEvents = (entries: Json): JsonObject => {
    if (!Array.isArray(entries) || entries.length === 0 || entries.length > MAX_ENTRIES) {
      throw new AwsError('ValidationException', `Entries must have between 1 and ${MAX_ENTRIES} items`);
    }
    const results = entries.map((entry) => putEvent(entry, deliver));
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  };

  const operations = new Map<string, Operation>([
    ['PutEvents', (input) => putEvents(input['Entries'] ?? [])],
    ...ruleOperations(rules, save),
    ...targetOperations(rules, save),
    [
      'DeleteRule',
      (input) => {
        const rule = rules.get(required(input, 'Name'));
        if (rule === undefined) return;
        if (rule.targets.length > 0)
          throw new AwsError('ValidationException', "Rule can't be deleted since it has targets.");
        rules.delete(rule.name);
        journal.append({ deleted: rule.name });
      },
    ],
  ]);
  return {
    service: { target: 'AWSEvents', version: '1.1', operations, bodyLimit: BODY_LIMIT },
    deliver,
    putEvents,
    close: () => journal.close(),
  };
}

function putEvent(entry: Json, deliver: (event: BusEvent) => void): JsonObject {
  const bad = (text: string): JsonObject => ({ ErrorCode: 'InvalidArgument', ErrorMessage: text });
  if (!isObject(entry)) return bad('the entry is not an object');
  const [source, detailType, text] = [
    stringAt(entry, 'Source'),
    stringAt(entry, 'DetailType'),
    stringAt(entry, 'Detail'),
  ];
  if (source === undefined) return bad('Parameter Source is not valid. Reason: Source is a required argument.');
  if (detailType === undefined)
    return bad('Parameter DetailType is not valid. Reason: DetailType is a required argument.');
  const detail = parsed(text ?? '{}');
  if (detail === undefined) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  if (Buffer.byteLength(text ?? '') > ENTRY_LIMIT)
    return bad('Total size of the entries in the request is over the limit.');
  const resources = Array.isArray(entry['Resources']) ? entry['Resources'].map(String) : [];
  const event = busEvent(source, detailType, detail, resources);
  deliver(event);
  return { EventId: event.id };
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const ruleArn = (name: string): string => `arn:aws:events:us-east-1:000000000000:rule/${name}`;

const described = (rule: Rule): JsonObject => ({
  Name: rule.name,
  Arn: ruleArn(rule.name),
  EventPattern: rule.pattern,
  Description: rule.description,
  State: rule.enabled ? 'ENABLED' : 'DISABLED',
  EventBusName: 'default',
});

function ruleOf(rules: ReadonlyMap<string, Rule>, name: string): Rule {
  const rule = rules.get(name);
  if (rule === undefined)
    throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`);
  return rule;
}

function ruleOperations(rules: ReadonlyMap<string, Rule>, save: (rule: Rule) => void): [string, Operation][] {
  const enable = (enabled: boolean) => (input: JsonObject) =>
    save({ ...ruleOf(rules, required(input, 'Name')), enabled });
  return [
    ['PutRule', (input) => putRule(rules, save, input)],
    ['DescribeRule', (input) => described(ruleOf(rules, required(input, 'Name')))],
    [
      'ListRules',
      (input) => {
        const prefix = stringAt(input, 'NamePrefix') ?? '';
        return { Rules: [...rules.values()].filter((rule) => rule.name.startsWith(prefix)).map(described) };
      },
    ],
    ['EnableRule', enable(true)],
    ['DisableRule', enable(false)],
  ];
}

function putRule(rules: ReadonlyMap<string, Rule>, save: (rule: Rule) => void, input: JsonObject): JsonObject {
  const name = required(input, 'Name');
  const pattern = stringAt(input, 'EventPattern');
  if (pattern === undefined) {
    throw new AwsError(
      'ValidationException',
      'EventPattern is required here; schedules belong to EventBridge Scheduler',
    );
  }
  const problem = patternProblem(parsed(pattern) ?? null);
  if (problem !== undefined)
    throw new AwsError('InvalidEventPatternException', `Event pattern is not valid: ${problem}`);
  save({
    name,
    pattern,
    description: stringAt(input, 'Description') ?? '',
    enabled: input['State'] !== 'DISABLED',
    targets: rules.get(name)?.targets ?? [],
  });
  return { RuleArn: ruleArn(name) };
}

function targetOperations(rules: ReadonlyMap<string, Rule>, save: (rule: Rule) => void): [string, Operation][] {
  return [
    [
      'PutTargets',
      (input) => {
        const rule = ruleOf(rules, required(input, 'Rule'));
        const added = Array.isArray(input['Targets']) ? input['Targets'].filter(isObject) : [];
        const ids = new Set(added.map((target) => target['Id']));
        save({ ...rule, targets: [...rule.targets.filter((target) => !ids.has(target['Id'] ?? null)), ...added] });
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    ],
    [
      'RemoveTargets',
      (input) => {
        const rule = ruleOf(rules, required(input, 'Rule'));
        const ids = new Set(Array.isArray(input['Ids']) ? input['Ids'] : []);
        save({ ...rule, targets: rule.targets.filter((target) => !ids.has(target['Id'] ?? null)) });
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    ],
    ['ListTargetsByRule', (input) => ({ Targets: ruleOf(rules, required(input, 'Rule')).targets })],
  ];
}
