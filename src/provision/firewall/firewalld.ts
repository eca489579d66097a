import { sh } from "../shell/shell-text.ts";
import type { Firewall } from "./firewall.ts";

/** firewalld: its zones hold the truth, whatever rules they become. */
export const firewalld: Firewall = {
  name: "firewalld",
  changeFor({ firewalld: state }, { port }) {
    if (state === undefined || state.portOpen) return undefined;
    const where = [`--zone=${state.zone}`, `--add-port=${port}/tcp`];
    const back = [`--zone=${state.zone}`, `--remove-port=${port}/tcp`];
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
