import { createUploadSessions } from '../../aws/dynamodb/upload-sessions.ts';
import { uploadSessionRepositorySuite } from '../support/conformance/upload-sessions.ts';
import { startTable } from '../support/table.ts';

uploadSessionRepositorySuite(async () => {
  const { table, close } = await startTable();
  return { uploadSessions: createUploadSessions(table), close };
});
