import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import type { OnReadOpts, Socket } from 'node:net';

/** Read at most at a time; Node's own 64 KiB mean four times as many turns. Small enough to stay in the processor's cache. */
const ROOM = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * What a socket does with what it read, except for the 64 KiB that Node allocates per read: all sockets read into one room, since
 * the HTTP parser copies bodies out of it before the next read (a test holds Node to that). What nobody takes at once is copied.
 */
const ONREAD: OnReadOpts = {
  buffer: ROOM,
  callback(this: Socket, length, room) {
    const bytes = room.subarray(0, length);
    const taken = this.readableFlowing === true && this.readableLength === 0 && this.listenerCount('data') > 0;
    return this.push(taken ? bytes : Buffer.from(bytes));
  },
};

/** Versions of Node whose parser is known to copy bodies out of the room: those that the test was run on. */
const HELD_TO_IT: ReadonlySet<string> = new Set(['24']);

/**
 * An HTTP agent for answers of many megabytes: fewer reads and half the garbage, a quarter of a download's processor time. On a version
 * of Node that no test was run on it is an ordinary agent.
 */
export class WideReadsAgent extends Agent {
  readonly #reads: object;

  constructor(options: AgentOptions, node = process.versions.node) {
    super(options);
    this.#reads = HELD_TO_IT.has(node.split('.')[0] ?? '') ? { onread: ONREAD } : {};
  }

  override createConnection(
    options: ClientRequestArgs,
    callback?: Parameters<Agent['createConnection']>[1],
  ): ReturnType<Agent['createConnection']> {
    return super.createConnection({ ...options, ...this.#reads } as ClientRequestArgs, callback);
  }
}
