/** `doctor` on a real host: healthy it has no findings, and each thing that is broken there or here is the one finding, then mended. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, copyFile, cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { assertFinds } from "./findings.ts";
import { createArguments } from "./generic-flags.ts";
import { output, Program } from "./program.ts";

const unavailable = await labUnavailableReason();

/** What is done to the host as root, or to what this computer has of the machine. */
type Step = string | ((scene: Scene) => Promise<unknown>);

interface Broken {
  readonly check: string;
  readonly break: Step;
  readonly mend: Step;
  /** What `--fix` leaves to be found; unless given it is not tried. */
  readonly fixed?: readonly string[];
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How long the finding may take. */
  readonly withinMs?: number;
}

interface Scene {
  readonly host: LabHost;
  readonly program: Program;
}

async function take(step: Step, scene: Scene): Promise<void> {
  if (typeof step === "string") await scene.host.sh(step);
  else await step(scene);
}

async function rewrite(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, "utf8")));
}

const recordOf = ({ program }: Scene): string => path.join(program.store, "machines/web/config.json");
const certificate = ({ program }: Scene, name: string): string => path.join(program.store, "certs", name);
const nothing: Step = async () => {};

/** The engine's own data stay where they are, below. */
const smallDisk = (options: string): string => `mount -t tmpfs -o ${options} tmpfs /var/lib/docker`;
const asAdmin = `useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin
install -d -o admin -g admin -m 700 /home/admin/.ssh
install -o admin -g admin -m 600 /root/.ssh/authorized_keys /home/admin/.ssh/`;

/** Two managers, of which one is gone: no majority is left. */
const lonelyManager = `
address=$(ip -4 -o addr show dev eth0 | sed -n 's/.* inet \\([^/]*\\).*/\\1/p' | head -n 1)
docker swarm init --advertise-addr $address > /dev/null
setsid dockerd --data-root /run/second --exec-root /run/second-run --pidfile /run/second.pid -H unix:///run/second.sock \\
  --bridge none --iptables=false > /run/second.log 2>&1 < /dev/null &
until docker -H unix:///run/second.sock info > /dev/null 2>&1; do sleep 0.2; done
docker -H unix:///run/second.sock swarm join --token $(docker swarm join-token -q manager) \\
  --listen-addr $address:2378 --advertise-addr $address:2378 $address:2377 > /dev/null
kill -9 $(cat /run/second.pid)
until docker info --format '{{.Swarm.Error}}' | grep -q leader; do sleep 0.5; done`;

const dropIn = "/etc/systemd/system/docker.service.d/10-machine.conf";

/** Rows of docs/doctor.md by number. */
const rows: Readonly<Record<string, Broken>> = {
  "1 a folder that others may enter": {
    check: "folder",
    break: async (scene) => await chmod(path.dirname(recordOf(scene)), 0o755),
    mend: nothing,
    fixed: [],
  },
  "2 a provision was killed": {
    check: "record",
    break: async ({ program }) => {
      const provision = program.start(["provision", "web"]);
      const journal = path.join(program.store, "machines/web/journal.ndjson");
      while (!existsSync(journal)) await setImmediate();
      provision.signal("SIGKILL", "group");
      await provision.ended;
    },
    mend: async ({ program }) => await program.ok(["provision", "web"]),
  },
  "8 sshd is down": { check: "ssh-port", break: "systemctl stop ssh", mend: "systemctl start ssh" },
  "9 another host key": {
    check: "host-key",
    break: "mkdir /root/keys; mv /etc/ssh/ssh_host_* /root/keys/; ssh-keygen -A; systemctl restart ssh",
    mend: "mv -f /root/keys/* /etc/ssh/; rmdir /root/keys; systemctl restart ssh",
  },
  "10 the key is not known": {
    check: "login",
    break: "mv /root/.ssh/authorized_keys /root/.ssh/away",
    mend: "mv /root/.ssh/away /root/.ssh/authorized_keys",
  },
  "11 no shell": { check: "shell-and-sudo", break: "usermod -s /usr/sbin/nologin root", mend: "usermod -s /bin/bash root" },
  "12 a full disk": { check: "disk", break: smallDisk("size=20m"), mend: "umount /var/lib/docker" },
  "12 no inodes left": {
    check: "disk",
    break: `${smallDisk("size=1g,nr_inodes=40")}; touch $(seq -f /var/lib/docker/%.0f 39)`,
    mend: "umount /var/lib/docker",
  },
  "12 a disk that cannot be written": {
    check: "disk",
    break: smallDisk("size=1g,ro"),
    mend: "umount /var/lib/docker",
  },
  "14 the kernel was upgraded beneath the engine": {
    check: "system",
    break: "mkdir -p /lib/modules/6.1.0-99-amd64; systemctl stop docker.socket docker",
    mend: "rm -r /lib/modules; systemctl start docker",
  },
  "15 the engine was stopped": {
    check: "engine-service",
    break: "systemctl stop docker.socket docker",
    mend: "systemctl start docker",
  },
  "15 daemon.json says what the unit says": {
    check: "engine-service",
    break: `echo '{"hosts": ["tcp://0.0.0.0:2376"]}' > /etc/docker/daemon.json; systemctl restart docker || true; sleep 1`,
    mend: "rm /etc/docker/daemon.json; systemctl reset-failed docker; systemctl restart docker",
  },
  "16 the drop-in was changed by hand": {
    check: "engine-settings",
    break: `echo 'Environment=BY=hand' >> ${dropIn}; systemctl daemon-reload`,
    mend: "true",
    fixed: [],
  },
  "17 the engine hangs": {
    check: "engine-socket",
    break: "systemctl kill -s STOP --kill-who=main docker",
    mend: "systemctl kill -s CONT --kill-who=main docker",
    // As docs/doctor.md has it.
    withinMs: 12_000,
  },
  "17 the socket's group is another": {
    check: "socket-rights",
    break: async (scene) => {
      await scene.host.sh(`${asAdmin}; chgrp root /var/run/docker.sock`);
      await rewrite(recordOf(scene), (text) => text.replace(/"SSHUser": "[^"]*"/u, '"SSHUser": "admin"'));
    },
    mend: async (scene) => {
      await rewrite(recordOf(scene), (text) => text.replace(/"SSHUser": "[^"]*"/u, '"SSHUser": "root"'));
      await scene.host.sh("chgrp docker /var/run/docker.sock");
    },
  },
  "18 the engine does not listen": {
    check: "engine-port",
    break: `cp ${dropIn} /root/kept; sed -i 's/-H tcp:[^ ]*//' ${dropIn}; systemctl daemon-reload; systemctl restart docker; cp /root/kept ${dropIn}; systemctl daemon-reload`,
    mend: "systemctl restart docker",
  },
  "19 packets are dropped": {
    check: "engine-reachable",
    break: "iptables -I INPUT -p tcp --dport 2376 -j DROP",
    mend: "iptables -D INPUT -p tcp --dport 2376 -j DROP",
  },
  "20 the client's certificate has ended": {
    check: "certificates",
    break: async (scene) => {
      const [pem, key] = [certificate(scene, "cert.pem"), certificate(scene, "key.pem")];
      await copyFile(pem, `${pem}.kept`);
      await output("openssl", ["x509", "-in", `${pem}.kept`, "-signkey", key, "-days", "0", "-out", pem]);
    },
    mend: async (scene) => await rename(certificate(scene, "cert.pem.kept"), certificate(scene, "cert.pem")),
  },
  "20 the CA is another store's": {
    check: "certificates",
    break: async (scene) => {
      await using other = await Program.open();
      await other.ok(["create", "--driver", "none", "--url", "tcp://127.0.0.1:1", "other"]);
      await rm(certificate(scene, ""), { recursive: true });
      await cp(path.join(other.store, "certs"), certificate(scene, ""), { recursive: true });
    },
    mend: nothing,
    fixed: [],
  },
  "21 a client that is too old": { check: "api-version", break: nothing, mend: nothing, env: { DOCKER_API_VERSION: "1.10" } },
  "22 a route into the engine's network": {
    check: "subnets",
    break: "ip route add 172.17.5.0/24 dev $(ip -4 route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p')",
    mend: "ip route del 172.17.5.0/24",
  },
  "23 a narrower way out": {
    check: "mtu",
    break: "ip link set $(ip -4 route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p') mtu 1400",
    mend: "ip link set $(ip -4 route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p') mtu 1500",
  },
  "24 a proxy that the engine does not know": {
    check: "registry",
    break: "echo HTTPS_PROXY=http://proxy.example:3128 >> /etc/environment",
    mend: "sed -i /proxy/d /etc/environment",
  },
  "25 a restart is pending": {
    check: "restart-pending",
    break: "touch /var/run/reboot-required",
    mend: "rm /var/run/reboot-required",
  },
  "26 the swarm has no leader": { check: "swarm", break: lonelyManager, mend: "docker swarm leave --force" },
  "27 a context of an earlier address": {
    check: "integration",
    break: async ({ program }) => {
      await program.ok(["context", "create", "web"]);
      const metas = path.join(program.folder, "home/.docker/contexts/meta");
      const [folder = ""] = await readdir(metas);
      await rewrite(path.join(metas, folder, "meta.json"), (text) => text.replace(/tcp:[^"]*/u, "tcp://192.0.2.1:2376"));
    },
    mend: nothing,
    fixed: [],
  },
};

test("doctor on a real host", { skip: unavailable ?? false }, async (t) => {
  await using lab = await openLab();
  await using host: LabHost = await lab.start("bookworm-engine");
  await using program = await Program.open();
  await program.ok(createArguments(host, "web"));

  await t.test("a healthy one has no findings, and costs two connections", async () => {
    await host.sh("iptables -I INPUT -p tcp -m multiport --dports 22,2376 --syn -m comment --comment counted");
    await assertFinds(program, [], ["web"]);
    const [packets = ""] = /^\s*\d+(?=.*counted)/mu.exec(await host.sh("iptables -nvxL INPUT")) ?? [];
    await host.sh("iptables -D INPUT -p tcp -m multiport --dports 22,2376 --syn -m comment --comment counted");
    assert.equal(packets.trim(), "2");
    assert.equal((await program.run(["doctor"])).status, 0);
  });

  const scene = { host, program };
  for (const [row, broken] of Object.entries(rows)) {
    await t.test(`row ${row}`, async () => {
      const { words = [], env = {} } = broken;
      await take(broken.break, scene);
      try {
        const startedMs = performance.now();
        await assertFinds(program, [broken.check], [...words, "web"], { env });
        assert.ok(performance.now() - startedMs < (broken.withinMs ?? Number.POSITIVE_INFINITY));
        if (broken.fixed === undefined) return;
        await assertFinds(program, broken.fixed, ["--fix", ...words, "web"], { env });
        assert.doesNotMatch((await program.run(["doctor", "--fix", "web"])).stderr, /Fixing/u);
      } finally {
        await take(broken.mend, scene);
      }
    });
  }

  await t.test("and is healthy again", async () => await assertFinds(program, [], ["web"]));
});
