/** All bridges of a broker. */
import type { BridgeFacts } from '../broker/ports.ts';
import { Bridge } from './bridge.ts';
import type { BridgePlan, BridgePorts } from './plan.ts';

export class Bridges {
  private readonly ports: BridgePorts;
  private readonly byName = new Map<string, Bridge>();

  constructor(ports: BridgePorts) {
    this.ports = ports;
  }

  /** Before any listener is open: what clients publish from the first moment on waits for the bridges. */
  async prepare(plans: readonly BridgePlan[]): Promise<void> {
    for (const plan of plans) this.byName.set(plan.name, new Bridge(plan, this.ports));
    await Promise.all([...this.byName.values()].map(bridge => bridge.prepare()));
  }

  start(): void {
    for (const bridge of this.byName.values()) bridge.start();
  }

  /** Puts the new plans in force and says what has changed; a bridge whose lines are the same notices nothing. */
  async reload(plans: readonly BridgePlan[]): Promise<string[]> {
    const said: string[] = [];
    const wanted = new Map(plans.map(plan => [plan.name, plan]));
    for (const [name, bridge] of [...this.byName]) {
      if (wanted.has(name)) continue;
      bridge.stop();
      this.byName.delete(name);
      this.ports.forget(bridge.localClientId);
      said.push(`connection ${name}: taken out`);
    }
    for (const plan of plans) {
      const before = this.byName.get(plan.name);
      if (before === undefined) said.push(await this.add(plan));
      else if (textOf(before.plan) !== textOf(plan) || before.waitsForReconnect) {
        await before.change(plan);
        said.push(`connection ${plan.name}: ${before.waitsForReconnect ? 'changes when it connects the next time (bridge_reload_type)' : 'changed'}`); // prettier-ignore
      }
    }
    return said;
  }

  facts(): BridgeFacts[] {
    return [...this.byName.values()].map(bridge => bridge.facts());
  }

  stop(): void {
    for (const bridge of this.byName.values()) bridge.stop();
  }

  private async add(plan: BridgePlan): Promise<string> {
    const bridge = new Bridge(plan, this.ports);
    this.byName.set(plan.name, bridge);
    await bridge.prepare();
    bridge.start();
    return `connection ${plan.name}: new`;
  }
}

/** Without the places in it: a line that has moved has not changed. */
function textOf(plan: BridgePlan): string {
  return JSON.stringify(plan, (key, value: unknown) => (key === 'place' || key === 'places' ? undefined : value));
}
