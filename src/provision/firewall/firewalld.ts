import { sh } from "../shell/shell-text.ts";
import type { FirewallFacts } from "../facts/facts.ts";
import { holdsPort, type Firewall, type Protocol } from "./firewall.ts";

/** Whether the engine's is was asked by its number; of others the zone's list tells. */
function isOpen(
  { portOpen, port: engine, ports = [] }: NonNullable<FirewallFacts["firewalld"]>,
  port: number,
  protocol: Protocol,
): boolean {
  if (portOpen && protocol === "tcp" && (engine === undefined || engine === port)) return true;
  return ports.some((open) => open.endsWith(`/${protocol}`) && holdsPort(open.replace(/\/.*$/u, ""), port));
}

/** firewalld: its zones hold the truth, whatever rules they become. */
export const firewalld: Firewall = {
  name: "firewalld",
  changeFor({ firewalld: state }, { port, protocol }) {
    if (state === undefined || isOpen(state, port, protocol)) return undefined;
    const where = [`--zone=${state.zone}`, `--add-port=${port}/${protocol}`];
    const back = [`--zone=${state.zone}`, `--remove-port=${port}/${protocol}`];
    return {
      firewall: "firewalld",
      command: `firewall-cmd --permanent ${where.join(" ")} && firewall-cmd ${where.join(" ")}`,
      open: sh`firewall-cmd -q --permanent ${where} && firewall-cmd -q ${where}`,
      close: sh`firewall-cmd -q --permanent ${back}; firewall-cmd -q ${back}`,
      files: [`/etc/firewalld/zones/${state.zone}.xml`],
      permanent: true,
    };
  },
};
