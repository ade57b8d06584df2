import { Initial1763700000000 } from './1763700000000-initial.js';
import { Deliveries1763800300000 } from './1763800300000-deliveries.js';

/** Every migration, oldest first. Listed by hand, so that what runs is the same from source and from the build. */
export const migrations = [Initial1763700000000, Deliveries1763800300000];
