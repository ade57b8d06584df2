import { Initial1763700000000 } from './1763700000000-initial.js';
import { Time1763730000000 } from './1763730000000-time.js';
import { Decisions1763740000000 } from './1763740000000-decisions.js';
import { Deliveries1763800300000 } from './1763800300000-deliveries.js';
import { Policy1763820000000 } from './1763820000000-policy.js';

/** Every migration, oldest first. Listed by hand, so that what runs is the same from source and from the build. */
export const migrations = [
  Initial1763700000000,
  Time1763730000000,
  Decisions1763740000000,
  Deliveries1763800300000,
  Policy1763820000000,
];
