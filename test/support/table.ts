import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { type Table, tableOf } from '../../aws/dynamodb/table.ts';
import { TABLE } from '../../workflows/topology.ts';

/** A fresh table with all its indexes in an in-memory DynamoDB on a free port of 127.0.0.1. */
export async function startTable(): Promise<{ table: Table; client: DynamoDBClient; close(): Promise<void> }> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await createTable(client);
  return {
    table: tableOf(client, TABLE.name),
    client,
    async close() {
      client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Creates the table at any endpoint. */
export async function createTable(client: DynamoDBClient): Promise<void> {
  const attributes = [TABLE, ...TABLE.indexes].flatMap((index) => [index.partitionKey, index.sortKey]);
  const keySchema = (keys: { partitionKey: string; sortKey: string }) => [
    { AttributeName: keys.partitionKey, KeyType: 'HASH' as const },
    { AttributeName: keys.sortKey, KeyType: 'RANGE' as const },
  ];
  await client.send(
    new CreateTableCommand({
      TableName: TABLE.name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: attributes.map((name) => ({ AttributeName: name, AttributeType: 'S' as const })),
      KeySchema: keySchema(TABLE),
      GlobalSecondaryIndexes: TABLE.indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index),
        Projection: { ProjectionType: 'ALL' as const },
      })),
    }),
  );
}
