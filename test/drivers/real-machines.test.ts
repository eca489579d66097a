/**
 * Whole lives of real machines, through the program: containers on the lab's engine, and virtual machines. Everything
 * is emulated where the computer has no accelerator that works, so boots are few: a start, a restart, one that is cut off,
 * and one more where no saved state is left from an earlier run.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { isPortFree, pickFreePort } from "../../src/system/loopback-port.ts";
import { identifyProcess } from "../../src/system/process-identity.ts";
import { labUnavailableReason, openLab, type Lab } from "../lab/lab.ts";
import { assertFinds } from "../e2e/findings.ts";
import { output, Program } from "../e2e/program.ts";

/** Images and saved states are kept between runs, and with them the CA whose certificates are in the states. */
const kept = path.join(homedir(), ".cache", "docker-machine-tests");
const longMs = 900_000;
/** An emulated guest on a busy computer boots for minutes. */
const patience = {
  MACHINE_TIMEOUT_SSH: "12m",
  MACHINE_TIMEOUT_PROBE: "10m",
  MACHINE_TIMEOUT_CONFIGURE: "15m",
  MACHINE_TIMEOUT_ENGINE_START: "5m",
  MACHINE_TIMEOUT_ENGINE: "5m",
  MACHINE_TIMEOUT_ENGINE_REQUEST: "2m",
};
const patient = { timeoutMs: longMs, env: patience };
const smallBuilt = ["--driver", "qemu", "--qemu-image", "build", "--qemu-memory", "1024", "--qemu-disk-size", "8000"];

async function openProgram(): Promise<Program> {
  const program = await Program.open();
  await mkdir(path.join(kept, "cache"), { recursive: true, mode: 0o700 });
  await mkdir(program.store, { mode: 0o700 });
  await symlink(path.join(kept, "cache"), path.join(program.store, "cache"));
  if (existsSync(path.join(kept, "certs")))
    await cp(path.join(kept, "certs"), path.join(program.store, "certs"), { recursive: true });
  return program;
}

/** Machines outlive the program: a test that fails must not leave them behind. */
function removingMachines(program: Program): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      const names = await readdir(path.join(program.store, "machines")).catch(() => []);
      if (names.length > 0) await program.run(["rm", "-f", ...names], patient);
    },
  };
}

/** What `eval $(docker-machine env NAME)` gives a shell. */
async function dockerEnvironment(program: Program, name: string): Promise<Record<string, string>> {
  const lines = await output("bash", ["-c", `eval "$(cat)"; env | grep ^DOCKER_`], { stdin: await program.ok(["env", name]) });
  return Object.fromEntries(
    lines
      .trim()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** A real client, over TLS, runs a container that is made of the machine's own shell. */
async function runContainer(program: Program, name: string): Promise<void> {
  await program.ok(["ssh", name, `tar -C / -chf - bin/sh $(ldd /bin/sh | grep -o "/[^ ]*") | docker import - tiny`], {
    timeoutMs: longMs,
  });
  const said = await output("docker", ["run", "--rm", "tiny", "/bin/sh", "-c", "echo it-works"], {
    env: await dockerEnvironment(program, name),
  });
  assert.equal(said, "it-works\n");
}

/** A server of HTTP that needs no more than the perl of the machine. */
const webServer =
  'use Socket; socket(S,PF_INET,SOCK_STREAM,0); setsockopt(S,SOL_SOCKET,SO_REUSEADDR,1); bind(S,sockaddr_in(80,INADDR_ANY)); listen(S,5); while (accept(C,S)) { sysread(C,$_,4096); syswrite(C,"HTTP/1.0 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nit serves"); close C }';

/** Runs it in a container of the machine, by a real client of this computer, and gives what the client does more with it. */
async function runWebServer(program: Program, name: string, port: number): Promise<(...words: string[]) => Promise<string>> {
  const files = "bin/sh usr/bin/perl usr/lib/*-linux-gnu/perl-base";
  const libraries = "$(ldd /bin/sh /usr/bin/perl | grep -o '/[^ ]*' | grep -v ':$' | sort -u)";
  await program.ok(["ssh", name, `cd / && tar -chf - ${files} ${libraries} 2> /dev/null | docker import - perl`], {
    timeoutMs: longMs,
  });
  const env = await dockerEnvironment(program, name);
  const docker = async (...words: string[]): Promise<string> => await output("docker", words, { env });
  await docker("run", "--detach", "--name", "server", "--publish", `${port}:80`, "perl", "perl", "-e", webServer);
  return docker;
}

/** What is served at a port of this computer once it is there. */
async function servedAt(port: number): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(60_000) })).text();
    } catch (error) {
      if (attempt === 120) throw error;
      await delay(500);
    }
  }
}

/** One that nobody has reaped yet has. */
async function hasEnded(pid: number): Promise<boolean> {
  return ((await identifyProcess(pid))?.startTicks ?? -1) === -1;
}

async function untilFree(port: number): Promise<void> {
  for (let attempt = 0; !(await isPortFree(port)); attempt++) {
    assert.ok(attempt < 120, `port ${port} stays open`);
    await delay(500);
  }
}

/** The process that brings containers' ports here. */
async function watcherOf(program: Program, name: string): Promise<number> {
  const note = path.join(program.store, "machines", name, "published.json");
  for (let attempt = 0; ; attempt++) {
    const text = await readFile(note, "utf8").catch(() => "{}");
    const { process: found } = JSON.parse(text) as { process?: { pid: number } };
    if (found !== undefined) return found.pid;
    assert.ok(attempt < 240, "nobody watches");
    await delay(500);
  }
}

async function useSshAndScp(program: Program, name: string): Promise<void> {
  assert.equal(await program.ok(["ssh", name, "hostname"]), `${name}\n`);
  assert.equal((await program.run(["ssh", name, "exit 7"])).status, 7);
  const file = path.join(program.folder, "a.bin");
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  await writeFile(file, bytes);
  await program.ok(["scp", "-q", file, `${name}:/tmp/a.bin`]);
  await program.ok(["scp", "-q", `${name}:/tmp/a.bin`, `${file}.back`]);
  assert.deepEqual(await readFile(`${file}.back`), bytes);
}

/** What a server says first at a port of this computer. */
async function bannerAt(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1").setTimeout(30_000, () => socket.destroy(new Error("nothing was said")));
  for await (const chunk of socket.setEncoding("utf8")) return chunk as string;
  return "";
}

/** A machine that runs, by another name, is reached as before. */
async function renameAndBack(program: Program, name: string): Promise<void> {
  await program.ok(["rename", name, "another"]);
  assert.equal(await status(program, "another"), "Running");
  assert.equal(await program.ok(["ssh", "another", "hostname"]), `${name}\n`);
  assert.match(await program.ok(["env", "another"]), /DOCKER_MACHINE_NAME="another"/u);
  await program.ok(["rename", "another", name]);
}

/** What is in memory and who runs is there again; the clock is right, and the engine is reached. */
async function suspendAndResume(program: Program, name: string): Promise<void> {
  await program.ok(["ssh", name, "echo remembered > /dev/shm/note; (sleep 3600 </dev/null >/dev/null 2>&1 &)"]);
  await program.ok(["stop", "--suspend", name], patient);
  assert.equal(await status(program, name), "Saved");
  await program.ok(["start", name], patient);
  const seen = await program.ok(["ssh", name, "cat /dev/shm/note; pgrep -x sleep | wc -l; date +%s"]);
  const [note, sleepers, seconds] = seen.split("\n");
  assert.deepEqual([note, sleepers], ["remembered", "1"]);
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 30, `the clock says ${seconds}`);
  await dockerEnvironment(program, name);
}

async function status(program: Program, name: string): Promise<string> {
  return (await program.ok(["status", name])).trim();
}

/** Facts that no two machines share. */
async function identityOf(program: Program, name: string): Promise<Record<string, string>> {
  const script = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; hostname; head -c 16 /dev/urandom | od -An -tx1";
  const [machineId = "", hostKey = "", hostName = "", random = ""] = (await program.ok(["ssh", name, script])).split("\n");
  return { machineId, hostKey, hostName, random };
}

/** The label that everything made for a machine bears. */
async function markOf(program: Program, name: string, engine: { readonly env: Record<string, string> }): Promise<string> {
  const id = (await program.ok(["inspect", "--format", "{{.Driver.ContainerId}}", name])).trim();
  const label = "docker-machine.create-id";
  const value = (await output("docker", ["inspect", "--format", `{{index .Config.Labels "${label}"}}`, id], engine)).trim();
  assert.notEqual(value, "");
  return `${label}=${value}`;
}

const unavailable = await labUnavailableReason();

describe("docker", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  test("two machines live a whole life beside each other, and leave nothing", async () => {
    await using program = await openProgram();
    await using _machines = removingMachines(program);
    const engine = { env: { DOCKER_HOST: lab.engineAddress } };
    const flags = ["--driver", "docker", "--docker-host", lab.engineAddress];
    await program.ok(["create", ...flags, "web", "db"], patient);
    await runContainer(program, "web");
    await useSshAndScp(program, "web");
    const [web, db] = [await identityOf(program, "web"), await identityOf(program, "db")];
    for (const [fact, value] of Object.entries(web)) assert.notEqual(value, db[fact], fact);
    const address = await program.ok(["ip", "web"]);
    await program.ok(["stop", "web"]);
    assert.equal(await status(program, "web"), "Stopped");
    assert.equal(await status(program, "db"), "Running");
    await program.ok(["start", "web"]);
    assert.equal(await program.ok(["ip", "web"]), address);
    await program.ok(["restart", "web"]);
    await useSshAndScp(program, "web");
    await dockerEnvironment(program, "web");
    assert.match(
      await program.ok(["edit", "web", "--memory", "1GB", "--cpus", "1"]),
      /^"web" is a machine with 1 CPU and 1024 MB of memory now\.$/mu,
    );
    const container = (await program.ok(["inspect", "--format", "{{.Driver.ContainerId}}", "web"])).trim();
    const bounds = ["inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}", container];
    assert.equal(await output("docker", bounds, engine), "1073741824 1000000000\n");
    await renameAndBack(program, "web");
    await program.ok(["kill", "web"]);
    assert.equal(await status(program, "web"), "Stopped");
    // Others' machines may be on the lab's engine too.
    const marks = await Promise.all(["web", "db"].map(async (name) => await markOf(program, name, engine)));
    await program.ok(["rm", "-y", "web", "db"]);
    assert.deepEqual(await readdir(path.join(program.store, "machines")), []);
    for (const mark of marks) assert.equal(await output("docker", ["ps", "-aq", "--filter", `label=${mark}`], engine), "");
    // Machines of others keep the network; with the last it goes.
    if ((await output("docker", ["ps", "-aq", "--filter", "label=docker-machine.create-id"], engine)) === "")
      assert.equal(await output("docker", ["network", "ls", "-q", "--filter", "name=^docker-machine"], engine), "");
  });
});

describe("qemu", { skip: existsSync("/usr/bin/qemu-system-x86_64") ? false : "QEMU is not installed" }, () => {
  test("two machines start from one saved state, are strangers to each other, and leave nothing", async (t) => {
    await using program = await openProgram();
    await using _machines = removingMachines(program);
    const startedMs = performance.now();
    await program.ok(["create", ...smallBuilt, "web", "db"], patient);
    t.diagnostic(`create of two machines: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await cp(path.join(program.store, "certs"), path.join(kept, "certs"), { recursive: true });

    const [web, db] = [await identityOf(program, "web"), await identityOf(program, "db")];
    for (const [fact, value] of Object.entries(web)) assert.notEqual(value, db[fact], fact);
    const skewSeconds = Number(await program.ok(["ssh", "web", "date +%s"])) - Date.now() / 1000;
    assert.ok(Math.abs(skewSeconds) < 30, `the clock is ${skewSeconds} s off`);
    await runContainer(program, "web");
    await useSshAndScp(program, "web");
    assert.match(await program.ok(["ls"]), /^web\s+-\s+qemu\s+Running\s+tcp:\/\/127\.0\.0\.1:\d+\s+v\d+/mu);

    const url = await program.ok(["url", "web"]);
    await renameAndBack(program, "web");
    const here = await pickFreePort(new Set());
    assert.match(await program.ok(["port", "web", `${here}:22`]), new RegExp(`^127\\.0\\.0\\.1:${here} -> 22/tcp$`, "mu"));
    assert.match(await bannerAt(here), /^SSH-2\.0-/u);
    await program.ok(["kill", "db"]);
    assert.deepEqual([await status(program, "web"), await status(program, "db")], ["Running", "Stopped"]);
    await assertFinds(program, ["provider"], ["db"]);
    await suspendAndResume(program, "web");
    await program.ok(["stop", "web"], patient);
    assert.equal(await status(program, "web"), "Stopped");
    await program.ok(["edit", "web", "--cpus", "1"]);
    await program.ok(["start", "web"], patient);
    assert.equal(await program.ok(["ssh", "web", "nproc"]), "1\n");
    await program.ok(["restart", "web"], patient);
    assert.equal(await program.ok(["url", "web"]), url);
    assert.match(await bannerAt(here), /^SSH-2\.0-/u, "a port is opened at each start");
    assert.equal(await program.ok(["port", "web", "--close", String(here)]), "No port of this computer leads to it.\n");
    assert.ok(await isPortFree(here));
    assert.deepEqual({ ...(await identityOf(program, "web")), random: "" }, { ...web, random: "" });

    await program.ok(["rm", "-y", "web", "db"], patient);
    assert.deepEqual(await readdir(path.join(program.store, "machines")), []);
    assert.deepEqual(await processesIn(program.store), []);
  });

  test("what a container publishes is at 127.0.0.1 here for as long as it is there, whatever becomes of who sees to that", async () => {
    await using program = await openProgram();
    await using _machines = removingMachines(program);
    await program.ok(["create", ...smallBuilt, "pub"], patient);
    const port = await pickFreePort(new Set());
    const docker = await runWebServer(program, "pub", port);
    assert.equal(await servedAt(port), "it serves");
    assert.equal(await program.ok(["port", "pub"]), `127.0.0.1:${port} -> ${port}/tcp (server)\n`);
    const { published } = JSON.parse(await program.ok(["--output", "json", "status", "pub"])) as { published: unknown };
    const open = { protocol: "tcp", port, containers: ["server"], outcome: "open" };
    assert.deepEqual(published, { isWatched: true, ports: [open] });
    assert.equal(await status(program, "pub"), "Running", "scripts compare this");

    const first = await watcherOf(program, "pub");
    process.kill(first, "SIGKILL");
    await program.ok(["url", "pub"]);
    const second = await watcherOf(program, "pub");
    assert.notEqual(second, first);
    assert.equal(await servedAt(port), "it serves");
    await docker("rm", "--force", "server");
    await untilFree(port);

    await program.ok(["stop", "pub"], patient);
    assert.ok(await hasEnded(second));
    await program.ok(["start", "pub"], patient);
    const third = await watcherOf(program, "pub");
    await program.ok(["rm", "-y", "pub"], patient);
    assert.ok(await hasEnded(third));
    assert.deepEqual(await processesIn(program.store), []);
  });

  test("a machine that is killed, mixed up, robbed of its disk or cut off while it boots says so, and can be removed", async () => {
    await using program = await openProgram();
    await using _machines = removingMachines(program);
    await program.ok(["create", ...smallBuilt, "lost"], patient);
    const file = (name: string): string => path.join(program.store, "machines", "lost", name);
    process.kill(Number(await readFile(file("qemu.pid"), "utf8")), "SIGKILL");
    assert.equal(await status(program, "lost"), "Stopped");
    await writeFile(file("qemu.pid"), `${process.pid}\n`);
    assert.equal(await status(program, "lost"), "Stopped");
    await rm(file("disk.qcow2"));
    assert.equal(await status(program, "lost"), "Error");
    const start = await program.run(["start", "lost"]);
    assert.match(start.stderr, /The disk of "lost" is gone: .*\nHint: .*docker-machine rm lost/u);
    await program.ok(["rm", "-y", "lost"]);

    const booting = program.start(["create", ...smallBuilt, "--qemu-save-state", "off", "late"], patient);
    await booting.said(/Waiting for machine to be running/u);
    booting.signal("SIGINT", "group");
    assert.equal((await booting.ended).status, 130);
    assert.deepEqual(await readdir(path.join(program.store, "machines")), []);
    assert.deepEqual(await processesIn(program.store), []);
  });

  const mayMount = process.getuid?.() === 0 ? false : "only root can mount a small disk";
  test("a disk without space is told before anything is made", { skip: mayMount }, async () => {
    await using program = await Program.open();
    await mkdir(program.store, { mode: 0o700 });
    await output("mount", ["-t", "tmpfs", "-o", "size=200m", "none", program.store]);
    try {
      const { status: exit, stderr } = await program.run(["create", ...smallBuilt, "big"]);
      assert.match(stderr, /A machine needs 512 MiB and \S+ has \d+ MiB left.*\nHint: Free some space/u);
      assert.equal(exit, 3);
      assert.deepEqual((await readdir(program.store)).includes("machines"), false);
    } finally {
      await output("umount", [program.store]);
    }
  });

  test("an image that is damaged, no image, or for another computer is refused before anything is made", async () => {
    await using program = await openProgram();
    await using _machines = removingMachines(program);
    const folder = await mkdtemp(path.join(tmpdir(), "dm-images-"));
    const at = (name: string): string => path.join(folder, name);
    await writeFile(at("text.img"), "this is no disk\n".repeat(4_096));
    await output("qemu-img", ["create", "-q", "-f", "qcow2", at("damaged.qcow2"), "64M"]);
    await writeFile(at("damaged.qcow2"), (await readFile(at("damaged.qcow2"))).fill(0xff, 4, 24));
    await output("qemu-img", ["create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", at("reaching.qcow2"), "1M"]);
    await writeFile(at("arm.img"), armDisk());
    for (const [name, reason] of [
      ["text.img", /has no partition table/u],
      ["damaged.qcow2", /cannot be used/u],
      ["reaching.qcow2", /refers to another file/u],
      ["arm.img", /for another architecture/u],
      ["missing.img", /does not exist/u],
    ] as const) {
      const { status: exit, stderr } = await program.run(["create", "--driver", "qemu", "--qemu-image", at(name), "bad"]);
      assert.match(stderr, reason, name);
      assert.ok(exit === 1 || exit === 3, name);
      await program.run(["rm", "-f", "-y", "bad"]);
    }
    assert.deepEqual(await processesIn(program.store), []);
    await rm(folder, { recursive: true });
  });
});

/** A GPT disk whose root partition is typed as that of an ARM Linux. */
function armDisk(): Buffer {
  const disk = Buffer.alloc(1024 * 1024);
  disk.writeUInt16LE(0xaa55, 510);
  disk.write("EFI PART", 512, "latin1");
  Buffer.from("45b021b9f01dc341af444c6f280d3fae", "hex").copy(disk, 1024);
  return disk;
}

/** Command lines of processes that run in a folder or name it. */
async function processesIn(folder: string): Promise<string[]> {
  const lines = await output("sh", [
    "-c",
    `for p in /proc/[0-9]*; do if [ "$(readlink $p/cwd)" != "\${PWD}" ] && readlink $p/cwd | grep -q "^${folder}"; then tr '\\0' ' ' < $p/cmdline; echo; fi; done; true`,
  ]);
  return lines.split("\n").filter((line) => line.trim() !== "");
}
