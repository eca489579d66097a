/** Each variant of the lab is what it says, so that a test that runs on it tests what it means to. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "./lab.ts";
import { tinyImageTar } from "./tiny-image.ts";
import type { VariantName } from "./variants.ts";
import { openUnrulyProxy } from "./unruly-proxy.ts";
import { waitUntil } from "./wait.ts";
import { dial } from "../support/dial.ts";

const run = promisify(execFile);
const unavailable = (await labUnavailableReason()) ?? false;

describe("lab", { skip: unavailable, concurrency: 2 }, () => {
  let lab: Lab;
  let scratch: string;
  before(async () => {
    lab = await openLab();
    scratch = await mkdtemp(path.join(tmpdir(), "lab-test-"));
  });
  after(async () => {
    await rm(scratch, { recursive: true });
    await lab.close();
  });

  /** A test with a host of its own. */
  function on(variant: VariantName, claim: string, body: (host: LabHost) => Promise<void>): void {
    test(`${variant}: ${claim}`, async () => {
      await using host = await lab.start(variant);
      await body(host);
    });
  }

  /** Logs in with OpenSSH, which must find exactly the host key that the lab announced. */
  async function ssh(host: LabHost, ...words: string[]): Promise<string> {
    const knownHosts = path.join(scratch, host.name);
    await writeFile(knownHosts, host.hostKeys.map((key) => `${host.address} ${key}\n`).join(""));
    const options = [
      "BatchMode=yes",
      "StrictHostKeyChecking=yes",
      `UserKnownHostsFile=${knownHosts}`,
      "IdentitiesOnly=yes",
      "ConnectTimeout=2",
    ];
    const flags = options.flatMap((option) => ["-o", option]);
    const target = ["-F", "none", "-i", host.privateKeyPath, "-p", String(host.sshPort), `${host.sshUser}@${host.address}`];
    const { stdout } = await run("ssh", [...flags, ...target, ...words]);
    return stdout.trim();
  }

  for (const [variant, codename] of [
    ["bullseye", "bullseye"],
    ["bookworm", "bookworm"],
    ["trixie", "trixie"],
  ] as const) {
    on(variant, "systemd and sshd, nothing else, and apt works", async (host) => {
      assert.equal(await ssh(host, ". /etc/os-release; echo $VERSION_CODENAME; id -un"), `${codename}\nroot`);
      assert.equal(await host.sh("systemctl is-system-running --wait"), "running");
      assert.equal(await host.sh("command -v dockerd docker curl python3 || echo none"), "none");
      await host.sh("apt-get -qq update && apt-get -qq --print-uris install docker.io", { timeoutMs: 120_000 });
    });
  }

  for (const release of ["bullseye", "bookworm", "trixie"] as const) {
    on(`${release}-engine`, "containers run, and live through a restart of the engine with live-restore", async (host) => {
      const script = `
        docker import ${tinyImageTar} tiny > /dev/null
        echo '{"live-restore": true}' > /etc/docker/daemon.json
        systemctl reload docker
        docker run --detach --name sleeper tiny sleep 600 > /dev/null
        before=$(docker inspect --format '{{.State.Pid}}' sleeper)
        systemctl restart docker
        echo "$before $(docker inspect --format '{{.State.Pid}} {{.State.Running}}' sleeper)"
        docker run --rm tiny echo it-works
        docker info --format '{{.Driver}}'
      `;
      const [survivor = "", ...rest] = (await host.sh(script)).split("\n");
      const [first, second, running] = survivor.split(" ");
      assert.equal(second, first);
      assert.equal(running, "true");
      assert.deepEqual(rest, ["it-works", "overlay2"]);
    });
  }

  on("firewalld", "rejects other ports until they are opened", async (host) => {
    assert.equal(await host.sh("firewall-cmd --state"), "running");
    await listen(host, 2376);
    assert.equal(await dial(host.address, 2376), "EHOSTUNREACH");
    await host.sh("firewall-cmd --quiet --add-port=2376/tcp");
    assert.equal(await dial(host.address, 2376), "open");
  });

  on("ufw", "drops other ports until they are opened", async (host) => {
    assert.match(await host.sh("ufw status verbose"), /Default: deny \(incoming\)/u);
    await listen(host, 2376);
    assert.equal(await dial(host.address, 2376), "silent");
    await host.sh("ufw allow 2376/tcp");
    assert.equal(await dial(host.address, 2376), "open");
  });

  on("sudo", "the user becomes root without a password", async (host) => {
    assert.equal(await ssh(host, "id -un; sudo -n id -un"), "admin\nroot");
  });

  on("sudo-password", "the user becomes root with the password and only with it", async (host) => {
    await assert.rejects(ssh(host, "sudo -n id -un"), /a password is required/u);
    const quoted = Buffer.from(`${host.sudoPassword}\n`).toString("base64");
    assert.equal(await ssh(host, `echo ${quoted} | base64 -d | sudo -S -p '' id -un`), "root");
  });

  on("no-sudo", "the user is not root and there is no sudo", async (host) => {
    assert.equal(await ssh(host, "id -un; command -v sudo || echo none"), "plain\nnone");
  });

  on("busy", "a container counts", async (host) => {
    const count = async (): Promise<number> => Number(await host.sh("docker exec counter cat /count"));
    const first = await count();
    await waitUntil("counting on", 20_000, async () => ((await count()) > first ? true : undefined));
  });

  on("no-os-release", "only debian_version tells what it is", async (host) => {
    assert.equal(
      await ssh(host, "ls -d /etc/*release /usr/lib/os-release 2> /dev/null; cut -d. -f1 /etc/debian_version").catch(String),
      "12",
    );
  });

  on("dropbear", "dropbear answers, with the same key files", async (host) => {
    assert.equal(await ssh(host, "id -un; command -v sshd || echo none"), "root\nnone");
  });

  on("apt-locked", "apt says who holds the lock", async (host) => {
    const { status, stderr } = await host.exec("apt-get install -y rsync");
    assert.equal(status, 100);
    assert.match(stderr, /Could not get lock \/var\/lib\/dpkg\/lock-frontend\. It is held by process \d+ \(hold-apt-lock\)/u);
  });

  on("no-mirror", "apt gets nothing, and names do not resolve", async (host) => {
    const { status, stderr } = await host.exec("apt-get -o APT::Update::Error-Mode=any update");
    assert.equal(status, 100);
    assert.match(stderr, /Connection refused/u);
    assert.notEqual((await host.exec("getent hosts deb.debian.org")).status, 0);
    assert.equal(await ssh(host, "echo reachable"), "reachable");
  });

  on("tight-var", "package lists fit, the engine's packages do not", async (host) => {
    await host.sh("apt-get -qq update", { timeoutMs: 120_000 });
    const { status, stderr } = await host.exec("apt-get -qq install -y docker.io");
    assert.equal(status, 100);
    assert.match(stderr, /You don't have enough free space in \/var\/cache\/apt\/archives\//u);
  });

  on("full-var", "package lists do not fit", async (host) => {
    assert.notEqual((await host.exec("timeout 10 apt-get update")).status, 0);
    assert.match(await host.sh("df --output=avail -m /var | tail -1"), /^ *0$/u);
  });

  on("full-etc-docker", "nothing can be written beside the engine's configuration", async (host) => {
    const { status, stderr } = await host.exec("cp /etc/passwd /etc/docker/server.pem");
    assert.notEqual(status, 0);
    assert.match(stderr, /No space left on device/u);
    await host.sh("docker version > /dev/null");
  });

  on("bookworm-engine", "reboots at the same address, stays off when it shut down, and can be cut off", async (host) => {
    const bootId = (): Promise<string> => host.sh("cat /run/systemd/boot-id-of-lab 2> /dev/null || true");
    await host.sh("touch /etc/kept; echo first > /run/systemd/boot-id-of-lab");
    await ssh(host, "shutdown -r now").catch(() => "");
    await waitUntil("the reboot", 60_000, async () => {
      const again = await ssh(host, "test -e /run/systemd/boot-id-of-lab || ls /etc/kept").catch(() => "");
      return again === "/etc/kept" ? true : undefined;
    });
    assert.equal(await bootId(), "");

    await host.cutCable();
    assert.equal(await dial(host.address, host.sshPort), "silent");
    await host.mendCable();
    assert.equal(await dial(host.address, host.sshPort), "open");

    await ssh(host, "shutdown -h now").catch(() => "");
    await waitUntil("the shutdown", 60_000, async () => ((await host.isOn()) ? undefined : true));
    await host.powerOn();
    assert.equal(await ssh(host, "echo on"), "on");
  });

  test("what a host says arrives whichever hosts go meanwhile", async () => {
    const { stdout } = await run("ip", ["-json", "-4", "address", "show", "to", lab.gateway]);
    const [link] = JSON.parse(stdout) as readonly { readonly ifname: string }[];
    // The hardware address that a bridge which is left to itself would take for its own.
    const leaving = `dml-${randomBytes(4).toString("hex")}`;
    const ends = [leaving, "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", `${leaving}p`];
    await run("ip", ["link", "add", "name", ...ends]);
    try {
      await run("ip", ["link", "set", leaving, "master", link?.ifname ?? "", "up"]);
      await using host = await lab.start("bookworm");
      const saying = ssh(host, "touch /run/begun; until [ -e /run/go ]; do sleep 0.05; done; echo arrived");
      await host.sh("until [ -e /run/begun ]; do sleep 0.05; done");
      await run("ip", ["link", "delete", leaving]);
      await host.sh("touch /run/go");
      const late = delay(10_000, "it is late", { ref: false });
      assert.equal(await Promise.race([saying, late]), "arrived");
    } finally {
      await run("ip", ["link", "delete", leaving]).catch(() => {});
    }
  });

  on("bookworm", "docker-ce comes from a signed repository, in two versions", async (host) => {
    await using repository = await lab.serveDockerRepository();
    const [older, newer] = repository.versions.bookworm;
    const script = `
      exec 2>&1
      /usr/lib/apt/apt-helper -qq download-file ${repository.url}/linux/debian/gpg /etc/apt/keyrings/docker.asc
      echo 'deb [signed-by=/etc/apt/keyrings/docker.asc] ${repository.url}/linux/debian bookworm stable' > /etc/apt/sources.list.d/docker.list
      apt-get -qq update
      export DEBIAN_FRONTEND=noninteractive
      apt-get -qq install -y --no-install-recommends docker-ce=${older} docker-ce-cli=${older} containerd.io > /tmp/log || cat /tmp/log
      docker version --format '{{.Server.Version}}'
      apt-get -qq install -y --no-install-recommends docker-ce docker-ce-cli > /tmp/log || cat /tmp/log
      docker version --format '{{.Server.Version}}'
    `;
    const versions = (await host.sh(script, { timeoutMs: 300_000 })).split("\n").filter((line) => /^\d+\./u.test(line));
    assert.deepEqual(
      versions,
      [older, newer].map((version) => `${/^5:([\d.]+)/u.exec(version ?? "")?.[1]}+dfsg1`),
    );
    assert.ok(repository.requests.includes("/linux/debian/dists/bookworm/InRelease"));
  });

  test("hosts of one process are gone after it closed the lab, others stay", async () => {
    const script = `
      import { openLab } from ${JSON.stringify(new URL("lab.ts", import.meta.url).href)};
      const lab = await openLab();
      const host = await lab.start("bookworm");
      console.log(host.name);
      if (process.argv[1] === "crash") process.kill(process.pid, "SIGKILL");
      await lab.close();
    `;
    await using own = await lab.start("bookworm");
    const closed = await run(process.execPath, ["--input-type=module", "-e", script, "close"]);
    const crashed = await run(process.execPath, ["--input-type=module", "-e", script, "crash"]).catch(
      (error: { stdout: string }) => error,
    );
    const next = await run(process.execPath, ["--input-type=module", "-e", script, "close"]);
    const { stdout } = await run("docker", ["-H", lab.engineAddress, "ps", "--all", "--format", "{{.Names}}"]);
    const there = stdout.split("\n");
    assert.ok(there.includes(own.name));
    for (const gone of [closed, crashed, next]) assert.ok(!there.includes(gone.stdout.trim()), gone.stdout);
  });

  test("the proxy cuts, stalls and hangs up", async () => {
    await using host = await lab.start("bookworm");
    const target = { address: host.address, port: host.sshPort };
    await using proxy = await openUnrulyProxy(target, { kind: "cut", afterBytes: 7 });
    assert.equal(await listenTo(proxy.port), "SSH-2.0 ECONNRESET");
    proxy.behave({ kind: "hang-up" });
    assert.equal(await listenTo(proxy.port), " end");
    proxy.behave({ kind: "black-hole" });
    assert.equal(await listenTo(proxy.port), " silence");
    proxy.behave({ kind: "trickle", everyMs: 200 });
    assert.match(await listenTo(proxy.port), /^S{1,1}[\w.-]{1,9} silence$/u);
    assert.equal(proxy.connections, 4);
  });
});

/** A server on a port of the host, of an image with busybox. */
async function listen(host: LabHost, port: number): Promise<void> {
  await host.sh(
    `systemd-run --quiet busybox nc -ll -p ${port} -e echo hello; timeout 10 sh -c 'until busybox nc 127.0.0.1 ${port} < /dev/null; do sleep 0.1; done'`,
  );
}

/** What a port of this computer says within a second, and how that ends. */
function listenTo(port: number): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect({ host: "127.0.0.1", port });
    const finish = (outcome: string): void => {
      socket.destroy();
      resolve(`${heard} ${outcome}`);
    };
    const timer = setTimeout(() => finish("silence"), 1_000);
    socket.on("data", (chunk) => (heard += chunk.toString()));
    socket.once("close", () => clearTimeout(timer));
    socket.once("end", () => finish("end"));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  });
}
