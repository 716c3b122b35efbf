import { describe, expect, it } from 'vitest';
import { type Charge, readUnits } from '../../../local/dynamodb/strict/charges.ts';
import { Meter } from '../../../local/dynamodb/strict/meter.ts';
import { readStrict } from '../../../local/strict.ts';
import { chance } from '../../../local/wire/chance.ts';

describe('the switch', () => {
  it.each([
    [undefined, {}],
    ['', {}],
    ['dynamodb', { dynamodb: {} }],
    [' dynamodb , ', { dynamodb: {} }],
    ['bundles,iam,front', { bundles: {}, iam: {}, front: {} }],
    ['{"dynamodb":{"throttleRate":0.5}}', { dynamodb: { throttleRate: 0.5 } }],
  ])('%s', (text, strict) => {
    expect(readStrict(text)).toEqual(strict);
  });

  it.each(['dynamo', '{"dynamodb":3}', '{"sqs":{}}', '{'])('%s is refused', (text) => {
    expect(() => readStrict(text)).toThrow();
  });
});

describe('chance', () => {
  it('is the same for the same seed, another for another, and as often as asked', () => {
    const draw = (seed: number) => {
      const draws = chance(seed);
      return Array.from({ length: 10_000 }, () => draws(0.1));
    };

    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(7).filter(Boolean).length).toBeGreaterThan(850);
    expect(draw(7).filter(Boolean).length).toBeLessThan(1150);
  });

  it('never and always', () => {
    const draws = chance();

    expect([draws(0), draws(1), draws(0), draws(1)]).toEqual([false, true, false, true]);
  });
});

it.each([
  [0, true, 1],
  [1, true, 1],
  [4096, true, 1],
  [4097, true, 2],
  [4096, false, 0.5],
  [12_000, false, 1.5],
])('a read of %d bytes, consistent: %s', (bytes, consistent, units) => {
  expect(readUnits(bytes, consistent)).toBe(units);
});

describe('the meter', () => {
  const charge = (units: number, more: Partial<Charge> = {}): Charge => ({
    ...{ kind: 'read', table: 't', key: 'a', units },
    ...more,
  });
  /** Charges at milliseconds; whether each is served. */
  const served = (options: ConstructorParameters<typeof Meter>[0], ...asked: [number, Charge][]): boolean[] => {
    let nowMs = 0;
    const meter = new Meter(options, () => nowMs);
    return asked.map(([atMs, one]) => {
      nowMs = atMs;
      try {
        meter.take([one]);
        return true;
      } catch {
        return false;
      }
    });
  };

  it.each<[string, Parameters<typeof served>, boolean[]]>([
    ['3,000 read units a second', [{}, [0, charge(3000)], [1, charge(0.5)], [1000, charge(3000)]], [true, false, true]],
    [
      '1,000 write units a second',
      [{}, [0, charge(1000, { kind: 'write' })], [999, charge(1, { kind: 'write' })]],
      [true, false],
    ],
    ['reads and writes apart', [{}, [0, charge(3000)], [0, charge(1000, { kind: 'write' })]], [true, true]],
    ['each key for itself', [{}, [0, charge(3000)], [0, charge(3000, { key: 'b' })]], [true, true]],
    ['each index for itself', [{}, [0, charge(3000)], [0, charge(3000, { index: 'gsi1' })]], [true, true]],
    ['what is refused takes nothing', [{}, [0, charge(2999)], [0, charge(2)], [0, charge(1)]], [true, false, true]],
    ['one request above the limit', [{}, [0, charge(4000)], [999, charge(1)], [1000, charge(1)]], [true, false, true]],
    ['other limits', [{ readUnitsPerKey: 10 }, [0, charge(10)], [0, charge(1)]], [true, false]],
    [
      'unused units of the last seconds, lent',
      [{ burstSeconds: 2 }, [5000, charge(8999)], [5001, charge(1)], [5002, charge(1)]],
      [true, true, false],
    ],
  ])('%s', (_, asked, expected) => {
    expect(served(...asked)).toEqual(expected);
  });

  it('names what is exhausted, as DynamoDB does', () => {
    const meter = new Meter({}, () => 0);
    meter.take([charge(1000, { kind: 'write', index: 'gsi1' })]);

    expect(() => meter.take([charge(1, { kind: 'write', index: 'gsi1' })])).toThrow(
      expect.objectContaining({
        code: 'ProvisionedThroughputExceededException',
        status: 400,
        message: expect.stringContaining('provisioned throughput for the table was exceeded'),
        details: {
          ThrottlingReasons: [
            {
              reason: 'IndexWriteKeyRangeThroughputExceeded',
              resource: 'arn:aws:dynamodb:us-east-1:000000000000:table/t/index/gsi1',
            },
          ],
        },
      }),
    );
  });

  it('takes all charges of a request or none', () => {
    const meter = new Meter({}, () => 0);
    meter.take([charge(1000, { kind: 'write', index: 'gsi1' })]);

    expect(() => meter.take([charge(1, { kind: 'write' }), charge(1, { kind: 'write', index: 'gsi1' })])).toThrow();

    expect(meter.report().filter(({ index }) => index === undefined)).toMatchObject([{ requests: 0, writeUnits: 0 }]);
  });

  it('reports sums, peaks within a second and refusals, the busiest key first, until it counts anew', () => {
    let nowMs = 0;
    const meter = new Meter({ readUnitsPerKey: 100 }, () => nowMs);
    meter.take([charge(60)]);
    nowMs = 600;
    meter.take([charge(30)]);
    expect(() => meter.take([charge(30)])).toThrow();
    nowMs = 1500;
    meter.take([charge(50)]);
    meter.take([charge(500, { key: 'b' })]);

    expect(meter.report()).toEqual([
      {
        ...{ table: 't', key: 'b', requests: 1, readUnits: 500, writeUnits: 0 },
        ...{ peakReadUnits: 500, peakWriteUnits: 0, throttled: 0 },
      },
      {
        ...{ table: 't', key: 'a', requests: 3, readUnits: 140, writeUnits: 0 },
        ...{ peakReadUnits: 90, peakWriteUnits: 0, throttled: 1 },
      },
    ]);
    meter.reset();
    expect(meter.report()[0]).toMatchObject({ key: 'a', requests: 0, readUnits: 0, peakReadUnits: 0, throttled: 0 });
  });
});
