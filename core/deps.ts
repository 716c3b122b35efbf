import type { WithBytes } from '../bytes/bytes-port.ts';
import type { WithDirect } from '../bytes/direct-port.ts';
import type { WithClock, WithIds } from './clock.ts';
import type { WithConfig } from './config.ts';
import type { WithDuties } from './duties/duty.ts';
import type { WithWorkflows } from './executions/workflow.ts';
import type { WithLookUps } from './identity/look-ups.ts';
import type { WithLocations } from './images/locations.ts';
import type { WithImageList, WithImages } from './images/repository.ts';
import type { WithPeers } from './imports/peers.ts';
import type { WithLog } from './log.ts';
import type { WithMembers } from './members/repository.ts';
import type { WithMetadefs } from './metadefs/repository.ts';
import type { WithPolicy, WithProtections } from './policy/port.ts';
import type { WithLimits } from './quota/limited-resources.ts';
import type { WithUsage } from './quota/usage.ts';
import type { WithKeyManager } from './signatures/key-manager.ts';
import type { WithStoreAbilities } from './stores/abilities.ts';
import type { WithTasks } from './tasks/repository.ts';
import type { WithSourceSecrets } from './tasks/source-secrets.ts';
import type { WithUploadSessions } from './uploads/repository.ts';

/** Everything the domain needs from the outside. Built once per process and handed down; nothing below an entry point reads the environment. */
export type Deps = WithConfig &
  WithClock &
  WithIds &
  WithImages &
  WithMembers &
  WithImageList &
  WithUsage &
  WithLimits &
  WithLookUps &
  WithKeyManager &
  WithLocations &
  WithMetadefs &
  WithPolicy &
  WithProtections &
  WithTasks &
  WithSourceSecrets &
  WithPeers &
  WithDuties &
  WithBytes &
  WithDirect &
  WithUploadSessions &
  WithStoreAbilities &
  WithWorkflows &
  WithLog;
