/** `doctor` on a real host: healthy it has no findings, and each thing that is broken there is the first finding, then mended. */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";

const unavailable = await labUnavailableReason();

interface Told {
  readonly machine: string | null;
  readonly check: string;
  readonly state: string;
  readonly evidence: string;
}

interface Broken {
  readonly check: string;
  /** As root on the host. */
  readonly break: string;
  readonly mend: string;
  /** What `--fix` leaves to be found; unless given it is not tried. */
  readonly fixed?: readonly string[];
}

const dropIn = "/etc/systemd/system/docker.service.d/10-machine.conf";

/** Rows of docs/doctor.md by number. */
const rows: Readonly<Record<string, Broken>> = {
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
  "25 a restart is pending": {
    check: "restart-pending",
    break: "touch /var/run/reboot-required",
    mend: "rm /var/run/reboot-required",
  },
};

async function told(program: Program, ...words: string[]): Promise<Told[]> {
  const { stdout, stderr } = await program.run(["--output", "json", "doctor", ...words]);
  return stdout === "" ? assert.fail(stderr) : (JSON.parse(stdout) as Told[]);
}

function namesOf(findings: readonly Told[]): string[] {
  return findings.map(({ check }) => check);
}

test("doctor on a real host", { skip: unavailable ?? false }, async (t) => {
  await using lab = await openLab();
  await using host: LabHost = await lab.start("bookworm-engine");
  await using program = await Program.open();
  await program.ok(createArguments(host, "web"));

  await t.test("a healthy one has no findings, and costs two connections", async () => {
    await host.sh("iptables -I INPUT -p tcp -m multiport --dports 22,2376 --syn -m comment --comment counted");
    assert.deepEqual(await told(program, "web"), []);
    const [packets = ""] = /^\s*\d+(?=.*counted)/mu.exec(await host.sh("iptables -nvxL INPUT")) ?? [];
    await host.sh("iptables -D INPUT -p tcp -m multiport --dports 22,2376 --syn -m comment --comment counted");
    assert.equal(packets.trim(), "2");
    assert.equal((await program.run(["doctor"])).status, 0);
  });

  for (const [row, broken] of Object.entries(rows)) {
    await t.test(`row ${row}`, async () => {
      await host.sh(broken.break);
      try {
        const findings = await told(program, "web");
        assert.equal(findings[0]?.check, broken.check, JSON.stringify(findings));
        assert.deepEqual(namesOf(findings), [broken.check]);
        if (broken.fixed === undefined) return;
        assert.deepEqual(namesOf(await told(program, "--fix", "web")), broken.fixed);
        assert.doesNotMatch((await program.run(["doctor", "--fix", "web"])).stderr, /Fixing/u);
      } finally {
        await host.sh(broken.mend);
      }
    });
  }

  await t.test("row 1: a folder that others may enter", async () => {
    const folder = path.join(program.store, "machines", "web");
    chmodSync(folder, 0o755);
    assert.deepEqual(namesOf(await told(program, "web")), ["folder"]);
    assert.deepEqual(namesOf(await told(program, "--fix", "web")), []);
  });

  await t.test("and is healthy again", async () => assert.deepEqual(await told(program, "web"), []));
});
