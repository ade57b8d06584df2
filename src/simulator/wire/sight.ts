import type { Estate } from '../estate.js';
import type { Faults } from '../faults.js';
import type { Guest, NodeState, SimNode } from '../guest.js';
import type { Random } from '../random.js';
import { agentPrivileges, PRIVILEGES } from './token.js';

/** A cluster as the token sees it: the estate behind its faults and its rights. */
export class Sight {
  readonly estate: Estate;
  readonly faults: Faults;
  readonly random: Random;

  constructor(estate: Estate, faults: Faults, random: Random) {
    this.estate = estate;
    this.faults = faults;
    this.random = random;
  }

  may(privilege: string): boolean {
    const { privilegesMissing, privilegesMore } = this.faults.now;
    const held = (PRIVILEGES as readonly string[]).includes(privilege) || this.#agent().includes(privilege);
    return (held || privilegesMore.includes(privilege)) && !privilegesMissing.includes(privilege);
  }

  mayAskAgents(): boolean {
    return this.#agent().some((privilege) => !this.faults.now.privilegesMissing.includes(privilege));
  }

  privileges(): readonly string[] {
    const { privilegesMore } = this.faults.now;
    return [...PRIVILEGES, ...this.#agent().slice(0, 1), ...privilegesMore].filter((privilege) => this.may(privilege));
  }

  /** The guests of the lists: those that it may not see are left out, and nothing tells so. */
  guests(): readonly Guest[] {
    if (!this.may('VM.Audit')) return [];
    const { hidden } = this.faults.now;
    const all = this.estate.guests();
    return hidden.length === 0 ? all : all.filter(({ vmid }) => !hidden.includes(vmid));
  }

  isForbidden(vmid: number): boolean {
    const { hidden, forbidden } = this.faults.now;
    return !this.may('VM.Audit') || hidden.includes(vmid) || forbidden.includes(vmid);
  }

  nodeState(node: SimNode): NodeState {
    return this.faults.now.nodesDown.includes(node.name) ? 'offline' : node.state;
  }

  isHung(node: SimNode): boolean {
    return this.faults.now.nodesHung.includes(node.name);
  }

  /** The node that this URL is: the first one that is up. */
  local(): SimNode | undefined {
    return this.estate.nodes().find((node) => this.nodeState(node) !== 'offline');
  }

  /** Whether the statistics daemon of its node tells of a guest: else its row is `unknown`, without a name. */
  hasStatistics(guest: Guest, now: number): boolean {
    const node = this.estate.node(guest.node);
    return (
      guest.statisticsFrom <= now && node !== undefined && this.nodeState(node) !== 'offline' && !this.isHung(node)
    );
  }

  #agent(): readonly string[] {
    return agentPrivileges(this.estate.version);
  }
}
