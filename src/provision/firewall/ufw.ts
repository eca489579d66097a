import { sh } from "../shell/shell-text.ts";
import { holdsPort, type Firewall } from "./firewall.ts";

/** ufw: `ufw status verbose` names the default for incoming connections and every rule. */
export const ufw: Firewall = {
  name: "ufw",
  changeFor({ ufwStatus }, { port, protocol }) {
    if (ufwStatus === undefined || !ufwStatus.some((line) => line.startsWith("Status: active"))) return undefined;
    const allowedByDefault = ufwStatus.some((line) => line.startsWith("Default: allow (incoming)"));
    const rules = ufwStatus
      .map((line) => /^([\d:,]+)(\/\w+)?\s+(ALLOW|DENY|REJECT|LIMIT)( IN)?\s+Anywhere(?! \(v6\))/u.exec(line))
      .filter((match) => match !== null)
      .filter(([, , of = ""]) => of === "" || of === `/${protocol}`);
    const rule = rules.find((match) => holdsPort(match[1] ?? "", port));
    if (rule === undefined ? allowedByDefault : rule[3] === "ALLOW") return undefined;
    return {
      firewall: "ufw",
      command: `ufw allow ${port}/${protocol}`,
      open: sh`ufw ${rule === undefined ? ["allow"] : ["insert", "1", "allow"]} ${`${port}/${protocol}`}`,
      close: sh`ufw delete allow ${`${port}/${protocol}`}`,
      files: ["/etc/ufw/user.rules", "/etc/ufw/user6.rules"],
      permanent: true,
    };
  },
};
