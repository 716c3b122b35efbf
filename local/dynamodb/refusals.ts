import { AwsError } from '../wire/aws-error.ts';
import type { JsonObject } from '../wire/json.ts';

/** Says why DynamoDB refuses a request; undefined when it does not. */
type Rule = (input: JsonObject) => string | undefined;

const selectNamesAttributes: Rule = ({ Select, ProjectionExpression, AttributesToGet }) =>
  Select === 'SPECIFIC_ATTRIBUTES' && ProjectionExpression === undefined && AttributesToGet === undefined
    ? 'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES'
    : undefined;

const segmentOfHowMany: Rule = ({ Segment, TotalSegments }) =>
  Segment !== undefined && TotalSegments === undefined
    ? 'The TotalSegments parameter is required but was not present in the request when Segment parameter is present'
    : undefined;

const namesAResource: Rule = ({ ResourceArn }) =>
  typeof ResourceArn === 'string' && !ResourceArn.startsWith('arn:')
    ? `Invalid TableArn: Invalid ResourceArn provided as input ${ResourceArn}`
    : undefined;

/** What dynalite lets through, or refuses with another error, by operation. */
const RULES: Readonly<Record<string, readonly Rule[]>> = {
  Query: [selectNamesAttributes],
  Scan: [selectNamesAttributes, segmentOfHowMany],
  TagResource: [namesAResource],
  UntagResource: [namesAResource],
  ListTagsOfResource: [namesAResource],
};

/** Throws ValidationException for what dynalite lets through and DynamoDB does not. */
export function refuse(operation: string, input: JsonObject): void {
  for (const rule of RULES[operation] ?? []) {
    const why = rule(input);
    if (why !== undefined) throw new AwsError('ValidationException', why);
  }
}
