/**
 * Hosts of the lab as the machines of a fake cloud: they have the host keys and the users of the user data they are given
 * (how cloud-init itself reads it is tested in test/guest), they are switched as a cloud switches them, and one that is
 * started has another address than before.
 */
import type { FakeApi } from "../../src/testing/fake-api.ts";
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
  /** Where the cloud itself chooses it: the one that the host is to have. */
  readonly address?: string | undefined;
}

export class CloudHosts {
  readonly #lab: Lab;
  readonly #hosts = new Map<string, LabHost>();
  /** As they were when the cloud told last of them. */
  readonly #told = new Map<string, CloudMachine>();
  /** Further addresses, each for that which a host has of its own. */
  readonly #lent = new Map<string, string>();
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
    return await this.#inTurn(async () => await this.#settle(machines));
  }

  /** Lays a further address on the host that has `own`, for as long as that is on and again whenever it is; undefined: takes it away. */
  async lend(address: string, own: string | undefined): Promise<void> {
    await this.#inTurn(async () => {
      const [before, now] = [this.#lent.get(address), own].map((one) => this.#at(one));
      if (own === undefined) this.#lent.delete(address);
      else this.#lent.set(address, own);
      if (before !== now) await before?.exec(`ip address delete ${address}/32 dev eth0`);
      if (now !== undefined) await this.#layLent(now);
    });
  }

  async #layLent(host: LabHost): Promise<void> {
    for (const [address, own] of this.#lent)
      if (own === host.address && (await host.isOn())) await host.sh(`ip address replace ${address}/32 dev eth0`);
  }

  #at(address: string | undefined): LabHost | undefined {
    return [...this.#hosts.values()].find((host) => host.address === address);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#settling.then(work);
    this.#settling = done.catch(() => {});
    return await done;
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
    if (before === undefined) return await this.boot(id, userData, machine.address);
    if (before.isOn !== isOn) await this.switch(id, isOn ? "on" : "shut down", machine.address);
    else if (reboots > before.reboots) await this.switch(id, "again");
    return isOn ? this.#require(id).address : undefined;
  }

  /** What the cloud last told of it; undefined where it has none. */
  userDataOf(id: string): string | undefined {
    return this.#told.get(id)?.userData;
  }

  /** Public host keys of a machine, as `TYPE BASE64`. */
  hostKeysOf(id: string): readonly string[] {
    return this.#require(id).hostKeys;
  }

  /**
   * Gives its address.
   * @param userData a `#cloud-config` whose rest is JSON, as ours is where the user gave none
   * @param wanted the address where the cloud chooses it
   */
  async boot(id: string, userData: string, wanted?: string): Promise<string> {
    const { ssh_keys: keys, users } = parseConfig(userData);
    const files = Object.entries(keys).map(([name, text]) => {
      const file = `/etc/ssh/ssh_host_${name.replace("_private", "_key").replace("_public", "_key.pub")}`;
      return `printf '%s\\n' ${quoteWord(text.trimEnd())} > ${file}; chmod ${name.endsWith("private") ? "600" : "644"} ${file}`;
    });
    const prepare = ["rm -f /etc/ssh/ssh_host_*", ...files].join("\n");
    const host = await this.#lab.start("bookworm-engine", { prepare, address: wanted });
    this.#hosts.set(id, host);
    for (const user of users) if (typeof user !== "string") await host.sh(addUser(user));
    return host.address;
  }

  /**
   * Returns once it is done, with the address from then on.
   * @param wanted the address of one that is switched on; another than before unless told
   */
  async switch(id: string, change: HostSwitch, wanted?: string): Promise<string> {
    const host = this.#require(id);
    switch (change) {
      case "on": {
        await host.powerOn();
        const moved = wanted === host.address ? host : await host.changeAddress(wanted);
        this.#hosts.set(id, moved);
        await this.#layLent(moved);
        return moved.address;
      }
      case "again":
        await host.exec("touch /run/before-reboot; systemctl reboot");
        await waitUntil(`${host.name} to boot again`, powerBoundMs, async () => {
          const { status } = await host.exec("! test -e /run/before-reboot && systemctl is-active ssh");
          return status === 0 ? true : undefined;
        });
        await this.#layLent(host);
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
