/**
 * Hosts of the lab as the machines of a fake cloud: they have the host keys and the login keys of the user data they are
 * given (how cloud-init itself reads it is tested in test/guest), they are switched as a cloud switches them, and one that
 * is started has another address than before.
 */
import { quoteWord } from "../../src/ssh/shell-quote.ts";
import type { Lab, LabHost } from "./lab.ts";
import { waitUntil } from "./wait.ts";

const powerBoundMs = 120_000;

export type HostSwitch = "on" | "off" | "shut down" | "again";

export class CloudHosts {
  readonly #lab: Lab;
  readonly #hosts = new Map<string, LabHost>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** How many there are. */
  get size(): number {
    return this.#hosts.size;
  }

  /** Gives its address. @param userData a `#cloud-config` whose rest is JSON, as ours is where the user gave none */
  async boot(id: string, userData: string): Promise<string> {
    const { ssh_keys: keys, users } = parseConfig(userData);
    const files = Object.entries(keys).map(([name, text]) => {
      const file = `/etc/ssh/ssh_host_${name.replace("_private", "_key").replace("_public", "_key.pub")}`;
      return `printf '%s\\n' ${quoteWord(text.trimEnd())} > ${file}; chmod ${name.endsWith("private") ? "600" : "644"} ${file}`;
    });
    const host = await this.#lab.start("bookworm-engine", { prepare: ["rm -f /etc/ssh/ssh_host_*", ...files].join("\n") });
    this.#hosts.set(id, host);
    const lines = users.flatMap((user) => (typeof user === "string" ? [] : user.ssh_authorized_keys)).join("\n");
    await host.sh(`printf '%s\\n' ${quoteWord(lines)} >> /root/.ssh/authorized_keys`);
    return host.address;
  }

  /** Returns once it is done, with the address from then on. */
  async switch(id: string, change: HostSwitch): Promise<string> {
    const host = this.#require(id);
    switch (change) {
      case "on": {
        await host.powerOn();
        const moved = await host.changeAddress();
        this.#hosts.set(id, moved);
        return moved.address;
      }
      case "again":
        await host.exec("touch /run/before-reboot; systemctl reboot");
        await waitUntil(`${host.name} to boot again`, powerBoundMs, async () => {
          const { status } = await host.exec("! test -e /run/before-reboot && systemctl is-active ssh");
          return status === 0 ? true : undefined;
        });
        return host.address;
      default:
        await host.exec(change === "off" ? "systemctl poweroff --force --force" : "systemctl poweroff");
        await waitUntil(`${host.name} to be off`, powerBoundMs, async () => ((await host.isOn()) ? undefined : true));
        return host.address;
    }
  }

  async remove(id: string): Promise<void> {
    await this.#hosts.get(id)?.stop();
    this.#hosts.delete(id);
  }

  #require(id: string): LabHost {
    const host = this.#hosts.get(id);
    if (host === undefined) throw new Error(`The cloud has no host ${id}`);
    return host;
  }
}

interface CloudConfig {
  readonly ssh_keys: Readonly<Record<string, string>>;
  readonly users: readonly (string | { readonly ssh_authorized_keys: readonly string[] })[];
}

function parseConfig(userData: string): CloudConfig {
  return JSON.parse(userData.slice(userData.indexOf("\n"))) as CloudConfig;
}
