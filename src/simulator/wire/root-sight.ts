import type { Guest, SimNode } from '../guest.js';
import { Sight } from './sight.js';

/** A cluster as root sees it, signed in on one of its nodes: nothing is hidden, nothing forbidden. */
export class RootSight extends Sight {
  readonly #node: SimNode;

  constructor(node: SimNode, ...rest: ConstructorParameters<typeof Sight>) {
    super(...rest);
    this.#node = node;
  }

  override may(): boolean {
    return true;
  }

  override mayAskAgents(): boolean {
    return true;
  }

  override guests(): readonly Guest[] {
    return this.estate.guests();
  }

  override isForbidden(): boolean {
    return false;
  }

  override local(): SimNode {
    return this.#node;
  }
}
