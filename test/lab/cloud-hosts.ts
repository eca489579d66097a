/**
 * Hosts of the lab as the machines of a fake cloud: they have the host keys and the users of the user data they are given
 * (how cloud-init itself reads it is tested in test/guest), they are switched as a cloud switches them, and one that is
 * started has another address than before.
 */
import type { FakeApi } from "../../src/testing/fake-provider.ts";
import { quoteWord } from "../../src/ssh/shell-quote.ts";
import type { Lab, LabHost } from "./lab.ts";
import { waitUntil } from "./wait.ts";

const powerBoundMs = 120_000;

export type HostSwitch = "on" | "off" | "shut down" | "again";

/** What a cloud says of one of its machines; it was on when it was first spoken of. */
export interface CloudMachine {
  readonly id: string;
  readonly isOn: boolean;
  /** A `#cloud-config` whose rest is JSON, as ours is where the user gave none. */
  readonly userData: string;
  /** How often it was told to boot again. */
  readonly reboots: number;
}

export class CloudHosts {
  readonly #lab: Lab;
  readonly #hosts = new Map<string, LabHost>();
  /** As they were when the cloud told last of them. */
  readonly #told = new Map<string, CloudMachine>();
  #settling: Promise<unknown> = Promise.resolve();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** How many there are. */
  get size(): number {
    return this.#hosts.size;
  }

  /** Makes the hosts what a cloud says of its machines. Gives the address of each that is on, by its id. */
  async settle(machines: readonly CloudMachine[]): Promise<ReadonlyMap<string, string>> {
    const settled = this.#settling.then(async () => await this.#settle(machines));
    this.#settling = settled.catch(() => {});
    return await settled;
  }

  async #settle(machines: readonly CloudMachine[]): Promise<ReadonlyMap<string, string>> {
    const gone = [...this.#told.keys()].filter((id) => !machines.some((machine) => machine.id === id));
    for (const id of gone) await this.remove(id);
    const addresses = new Map<string, string>();
    for (const machine of machines) {
      const address = await this.#settleOne(machine);
      if (address !== undefined) addresses.set(machine.id, address);
    }
    return addresses;
  }

  /** The address of one that is on. */
  async #settleOne(machine: CloudMachine): Promise<string | undefined> {
    const { id, isOn, reboots, userData } = machine;
    const before = this.#told.get(id);
    this.#told.set(id, machine);
    if (before === undefined) return await this.boot(id, userData);
    if (before.isOn !== isOn) await this.switch(id, isOn ? "on" : "shut down");
    else if (reboots > before.reboots) await this.switch(id, "again");
    return isOn ? this.#require(id).address : undefined;
  }

  /** Public host keys of a machine, as `TYPE BASE64`. */
  hostKeysOf(id: string): readonly string[] {
    return this.#require(id).hostKeys;
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
    for (const user of users) if (typeof user !== "string") await host.sh(addUser(user));
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
    this.#told.delete(id);
  }

  #require(id: string): LabHost {
    const host = this.#hosts.get(id);
    if (host === undefined) throw new Error(`The cloud has no host ${id}`);
    return host;
  }
}

/**
 * A fake whose machines are hosts: after each request they become what it says of them, and it tells their addresses.
 * @param fake its `machines`, and where it takes the address of one
 */
export function onHosts(fake: FakeApi & HostedFake, hosts: CloudHosts): FakeApi {
  return {
    refuse: (status, code, message) => fake.refuse(status, code, message),
    answer: async (request, provider) => {
      const answer = await fake.answer(request, provider);
      for (const [id, address] of await hosts.settle(fake.machines())) fake.place(id, address, hosts.hostKeysOf(id));
      return answer;
    },
  };
}

export interface HostedFake {
  machines(): readonly CloudMachine[];
  /** @param hostKeys `TYPE BASE64`, as the guest has them */
  place(id: string, address: string, hostKeys: readonly string[]): void;
}

interface CloudUser {
  readonly name: string;
  readonly sudo?: string;
  readonly ssh_authorized_keys: readonly string[];
}

interface CloudConfig {
  readonly ssh_keys: Readonly<Record<string, string>>;
  readonly users: readonly (string | CloudUser)[];
}

function addUser({ name, sudo, ssh_authorized_keys: keys }: CloudUser): string {
  const home = name === "root" ? "/root" : `/home/${name}`;
  return [
    "set -eu",
    ...(name === "root" ? [] : [`useradd --create-home --shell /bin/bash ${name}`]),
    ...(sudo === undefined
      ? []
      : [`echo ${quoteWord(`${name} ${sudo}`)} > /etc/sudoers.d/${name}; chmod 440 /etc/sudoers.d/${name}`]),
    `install -d -m 700 -o ${name} ${home}/.ssh`,
    `printf '%s\\n' ${quoteWord(keys.join("\n"))} >> ${home}/.ssh/authorized_keys`,
    `chown ${name} ${home}/.ssh/authorized_keys`,
  ].join("\n");
}

function parseConfig(userData: string): CloudConfig {
  return JSON.parse(userData.slice(userData.indexOf("\n"))) as CloudConfig;
}
