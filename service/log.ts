import { Logger } from '@aws-lambda-powertools/logger';
import type { Log } from '../core/log.ts';

/** Structured JSON logs; POWERTOOLS_LOG_LEVEL sets the level. Callers never hand it tokens, passwords or bodies. */
export function createLog(service: string): Log {
  const logger = new Logger({ serviceName: service });
  return {
    info: (message, facts = {}) => logger.info(message, { ...facts }),
    warn: (message, facts = {}) => logger.warn(message, { ...facts }),
    error: (message, facts = {}) => logger.error(message, { ...facts }),
  };
}
