/**
 * The lab beside an engine that is not its own: one that runs already, as on many computers, carries the hosts; one that is
 * started meanwhile is left its forwarding. All in a network of its own, so that the engine can have Docker's default bridge
 * and rules, whatever this computer has.
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { closeSync, openSync } from "node:fs";
import { command, commandEnvironment, lastLines, startCommand, tryCommand } from "./command.ts";
import { labUnavailableReason, openLab, type Lab } from "./lab.ts";
import { labPaths } from "./paths.ts";
import { waitUntil } from "./wait.ts";

const images = ["bookworm-bare", "bookworm-engine"];
const lab = new URL("lab.ts", import.meta.url).href;
const unavailable = (await labUnavailableReason()) ?? false;

/** Opens a lab, says so, and closes it when its standard input ends. */
const openAndClose = `
  import { openLab } from ${JSON.stringify(lab)};
  await using lab = await openLab();
  console.log("open", lab.engineAddress, lab.gateway);
  for await (const _ of process.stdin);
`;

describe("the lab beside another engine", { skip: unavailable }, () => {
  let sharedLab: Lab;
  let rig: Rig;
  before(async () => {
    sharedLab = await openLab();
    await sharedLab.build(images);
    rig = await Rig.open();
  });
  after(async () => {
    await rig.close();
    await sharedLab.close();
  });

  test("leaves forwarding as it was where nobody else needs it", async () => {
    await rig.forward(false);
    const running = await rig.openLab("alone", "/nowhere");
    assert.equal(await rig.forwards(), true);
    await running.close();
    assert.equal(await rig.forwards(), false);
  });

  test("leaves forwarding on under an engine that was started meanwhile", async () => {
    const running = await rig.openLab("meanwhile", "/nowhere");
    await rig.startEngine();
    await running.close();
    assert.equal(await rig.forwards(), true);
  });

  test("starts hosts on an engine that runs already, which does not tell its gateway", async () => {
    await rig.takeImages(sharedLab.engineAddress);
    const { status, printed } = await rig.runTests("test/lab/lab.test.ts", "bookworm-engine: |hosts of one process");
    assert.equal(status, 0, printed);
    assert.match(printed, /pass 3\n/u);
    assert.equal(await rig.docker("ps", "--all", "--quiet"), "");
    assert.equal(await rig.forwards(), true);
  });

  test("takes an engine of its own beside one that has no bridge here", async () => {
    // The engine's socket can be reached, its network cannot: as from a container that was given the socket.
    const running = await rig.openLab("apart", rig.socket, "here");
    assert.match(running.said, /^open unix:\/\/\S+\/apart\/docker-machine-lab\/engine\.sock /mu);
    await running.close();
  });
});

interface OpenedElsewhere {
  readonly said: string;
  close(): Promise<void>;
}

/** A network with an engine in it that does as an installed one does. */
class Rig {
  readonly socket: string;
  readonly #folder: string;
  readonly #network: string;
  #engine: ChildProcess | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#network = path.basename(folder);
    this.socket = path.join(folder, "engine.sock");
  }

  static async open(): Promise<Rig> {
    // Beside the lab's own folder: where that one's engine can keep its data, this one can.
    const rig = new Rig(await mkdtemp(path.join(path.dirname(labPaths.root), "dml-")));
    await command("ip", ["netns", "add", rig.#network]);
    await rig.#run("ip", ["link", "set", "lo", "up"]);
    return rig;
  }

  async close(): Promise<void> {
    await endProcess(this.#engine);
    const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
    for (const mount of mounts.toReversed())
      if (mount.startsWith(`${this.#folder}/`)) await tryCommand("umount", ["--lazy", mount]);
    await tryCommand("ip", ["netns", "delete", this.#network]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async forward(on: boolean): Promise<void> {
    await this.#run("sysctl", ["-qw", `net.ipv4.ip_forward=${on ? 1 : 0}`]);
  }

  async forwards(): Promise<boolean> {
    return (await this.#run("sysctl", ["-n", "net.ipv4.ip_forward"])) === "1";
  }

  async docker(...words: string[]): Promise<string> {
    return await command("docker", ["-H", `unix://${this.socket}`, ...words]);
  }

  /** With Docker's own defaults, but for where it keeps things. */
  async startEngine(): Promise<void> {
    const inFolder = (name: string): string => path.join(this.#folder, name);
    const log = openSync(inFolder("engine.log"), "w", 0o600);
    const settings = [
      `--config-file=${inFolder("none.json")}`,
      `--data-root=${inFolder("data")}`,
      `--exec-root=${inFolder("run")}`,
      `--pidfile=${inFolder("engine.pid")}`,
      `--host=unix://${this.socket}`,
    ];
    await mkdir(inFolder("data"));
    await writeFile(inFolder("none.json"), "{}\n");
    const [program, args] = this.#inNetwork("dockerd", settings);
    this.#engine = startCommand(program, args, { stdio: ["ignore", log, log] });
    closeSync(log);
    await waitUntil("the start of the other engine", 120_000, async () => {
      if (this.#engine?.exitCode !== null)
        throw new Error(`It ended:\n${lastLines(await readFile(inFolder("engine.log"), "utf8"), 15)}`);
      return (await tryCommand("docker", ["-H", `unix://${this.socket}`, "version"])).status === 0 ? true : undefined;
    });
  }

  /** Gives the engine the images of the lab, which it would else build again. */
  async takeImages(from: string): Promise<void> {
    const names = images.map((image) => `docker-machine-lab/${image}`);
    const copy = 'docker -H "$0" save "$@" | docker -H "$TO" load';
    const env = { ...commandEnvironment, TO: `unix://${this.socket}` };
    await command("sh", ["-c", copy, from, ...names], { env, timeoutMs: 300_000 });
  }

  /** Runs tests of the lab in the network, with a lab that takes the engine for the computer's own. */
  async runTests(file: string, pattern: string): Promise<{ readonly status: number | null; readonly printed: string }> {
    const flags = ["--test-reporter=spec", "--test-force-exit", `--test-name-pattern=${pattern}`];
    const [program, args] = this.#inNetwork(process.execPath, [...flags, file]);
    const env = await this.#labEnvironment("tests", this.socket);
    const { status, stdout, stderr } = await tryCommand(program, args, { env, timeoutMs: 400_000 });
    return { status, printed: `${stdout.toString()}${stderr.toString()}` };
  }

  /** A lab of another process, with a cache of its own. */
  async openLab(name: string, socket: string, where: "here" | "in the network" = "in the network"): Promise<OpenedElsewhere> {
    const words = [process.execPath, ["--input-type=module", "-e", openAndClose]] as const;
    const [program, args] = where === "here" ? words : this.#inNetwork(...words);
    const env = await this.#labEnvironment(name, socket);
    const child = startCommand(program, args, { stdio: ["pipe", "pipe", "pipe"], env });
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    await waitUntil(`the lab "${name}"`, 180_000, async () => {
      if (child.exitCode !== null) throw new Error(`It ended:\n${said}`);
      return /^open /mu.test(said) ? true : undefined;
    });
    return {
      said,
      close: async () => {
        child.stdin?.end();
        assert.equal(await ended, 0, said);
      },
    };
  }

  async #labEnvironment(name: string, socket: string): Promise<NodeJS.ProcessEnv> {
    const cache = path.join(this.#folder, name);
    const root = path.join(cache, path.basename(labPaths.root));
    await mkdir(root, { recursive: true, mode: 0o700 });
    await copyFile(labPaths.outerApt, path.join(root, path.basename(labPaths.outerApt)));
    return { ...commandEnvironment, XDG_CACHE_HOME: cache, DOCKER_MACHINE_LAB_ENGINE: socket, NODE_TEST_CONTEXT: undefined };
  }

  async #run(program: string, words: readonly string[]): Promise<string> {
    return await command(...this.#inNetwork(program, words));
  }

  #inNetwork(program: string, words: readonly string[]): [string, string[]] {
    return ["nsenter", [`--net=/run/netns/${this.#network}`, program, ...words]];
  }
}

async function endProcess(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  await gone;
  clearTimeout(killer);
}
