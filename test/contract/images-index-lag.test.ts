import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { describe } from 'vitest';
import { createImageListing } from '../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createMemberRepository } from '../../aws/dynamodb/members.ts';
import type { Table } from '../../aws/dynamodb/table.ts';
import { ownWrites } from '../support/conformance/image-list.ts';
import { startTable } from '../support/table.ts';

/** The table with index reads frozen at their first answer: an index that sees no later write. */
function frozenIndexes(table: Table): Table {
  const answers = new Map<string, unknown>();
  const client = new Proxy(table.client, {
    get(target, property) {
      if (property !== 'send') return Reflect.get(target, property, target);
      return async (command: unknown) => {
        const send = () => (target.send as (command: unknown) => Promise<unknown>)(command);
        if (!(command instanceof QueryCommand) || command.input.IndexName === undefined) return send();
        const key = JSON.stringify(command.input);
        if (!answers.has(key)) answers.set(key, await send());
        return answers.get(key);
      };
    },
  });
  return { ...table, client };
}

describe('a list reads its own process writes while indexes lag', () =>
  ownWrites(async () => {
    const started = await startTable();
    const table = frozenIndexes(started.table);
    return {
      images: createImageRepository(table, { clock: { now: () => Date.now() } }),
      members: createMemberRepository(table),
      imageList: createImageListing(table),
      close: started.close,
    };
  }));
