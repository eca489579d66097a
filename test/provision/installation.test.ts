/** Hosts without an engine: where it comes from, what stands in the way, and that nothing is left half done. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { ProgressEvent } from "../../src/log/event.ts";
import { provisionHost, restoreHost, upgradeEngine } from "../../src/provision/provision.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { changedFiles, takeSnapshot, withoutFiles } from "./host-snapshot.ts";
import { openLabMachine } from "./lab-machine.ts";
import { failureOf } from "../support/failure.ts";

const skip = (await labUnavailableReason()) ?? false;
const distro = { engine: { source: "distro" } } as const;

test(
  "a bare host gets the distribution's engine where Docker's cannot be reached, and is given back bare",
  { skip },
  async () => {
    await using lab = await openLab();
    await using host = await lab.start("no-os-release");
    await using machine = await openLabMachine(host);
    const before = await takeSnapshot(host);
    const outcome = await provisionHost(machine.request({ engine: { source: "auto" } }), machine.context);
    assert.ok(machine.ssh.roundTrips <= 4, String(machine.ssh.roundTrips));
    assert.equal(await machine.ask("/_ping"), "OK");
    assert.match(
      machine.said("info").join("\n"),
      /^https:\/\/download\.docker\.com\/linux\/debian\/dists\/bookworm\/Release cannot be reached from web; taking docker\.io, the distribution's package$/mu,
    );
    assert.ok(outcome.installedPackages.includes("docker.io"));
    assert.ok(!outcome.installedPackages.includes("curl"), "nothing is installed for a download that cannot be");
    assert.equal(outcome.facts.os.source, "debian-version");
    assert.equal(await host.sh("docker info -f '{{.Driver}}'"), "overlay2");

    await restoreHost(machine.request(), machine.context);
    const after = await takeSnapshot(host);
    assert.deepEqual(withoutFiles(after), withoutFiles(before));
    assert.deepEqual(
      changedFiles(before, after).filter((path) => path.startsWith("/etc/docker") || path.startsWith("/var/lib/docker-machine")),
      [],
    );
  },
);

test("a lock of the package database is waited for", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("apt-locked");
  await using machine = await openLabMachine(host);
  // Held until it is waited for, however long the way there takes.
  await host.sh(`
    systemctl stop unattended-lab
    rm -f /run/apt-lock-held
    systemd-run --quiet --unit=held-lab hold-apt-lock 600
    until [ -e /run/apt-lock-held ]; do sleep 0.1; done`);
  let released: Promise<unknown> | undefined;
  const report = (event: ProgressEvent): void => {
    machine.context.report(event);
    if (isWaiting(event)) released ??= host.sh("systemctl stop held-lab");
  };
  await provisionHost(machine.request(distro), { ...machine.context, report });
  await released;
  assert.match(machine.said("warn").join("\n"), /holds \/var\/lib\/dpkg\/lock-frontend: it is waited for/u);
  assert.equal(machine.events.filter(isWaiting).length, 1);
  assert.equal(await machine.ask("/_ping"), "OK");
});

function isWaiting(event: ProgressEvent): boolean {
  return event.type === "log" && event.level === "info" && event.text.startsWith("Another process holds the lock");
}

test("without a mirror apt's own words explain it, and nothing is left behind", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("no-mirror");
  await using machine = await openLabMachine(host);
  const before = await takeSnapshot(host);
  const error = await failureOf(provisionHost(machine.request(), machine.context));
  assert.equal(error.code, "package-manager");
  assert.match(error.message, /^apt could not bring its lists of packages up to date on web:\nErr:1 .*Could not connect/su);
  assert.match(error.hint ?? "", /docker-machine provision/u);
  const after = await takeSnapshot(host);
  assert.deepEqual(withoutFiles(after), withoutFiles(before));
  assert.deepEqual(
    changedFiles(before, after).filter((path) => !path.startsWith("/var/lib/docker-machine/")),
    [],
  );
});

test("a full disk is named before anything is installed", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("full-var");
  await using machine = await openLabMachine(host);
  const error = await failureOf(provisionHost(machine.request(distro), machine.context));
  assert.equal(error.code, "disk-full");
  assert.match(error.message, /Only \d+ MiB are free on \S+ \(mounted on \/var\) of web/u);
});

interface Mirror extends AsyncDisposable {
  readonly port: number;
  readonly asked: readonly string[];
}

async function serve(files: Readonly<Record<string, Buffer | string>>): Promise<Mirror> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const body = files[request.url ?? ""];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await once(server.listen(0), "listening");
  return { port: (server.address() as AddressInfo).port, asked, [Symbol.asyncDispose]: async () => void server.close() };
}

test("static binaries are found, unpacked and started by a unit of ours; the newest is taken", { skip }, async () => {
  await using lab = await openLab();
  await using donor = await lab.start("bookworm-engine");
  await using host = await lab.start("bookworm");
  await using machine = await openLabMachine(host);
  await donor.sh(`
    mkdir -p /tmp/static/docker
    cp /usr/sbin/dockerd /usr/bin/docker /usr/bin/containerd /usr/bin/containerd-shim-runc-v2 /usr/sbin/runc /usr/bin/docker-proxy /tmp/static/docker 2> /dev/null ||
      cp /usr/sbin/dockerd /usr/bin/docker /usr/bin/containerd /usr/bin/containerd-shim-runc-v2 /usr/sbin/runc /tmp/static/docker
    cd /tmp/static && tar -c docker | gzip -1 | base64 -w 0 > /tmp/static/docker.tgz.b64`);
  const archive = Buffer.from(await donor.sh("cat /tmp/static/docker.tgz.b64", { timeoutMs: 60_000 }), "base64");
  const folder = "/linux/static/stable/x86_64/";
  await using mirror = await serve({
    [folder]:
      '<a href="docker-9.9.9.tgz">x</a> <a href="docker-20.10.24.tgz">x</a> <a href="docker-20.10.9.tgz">x</a> <a href="docker-rootless-extras-30.0.tgz">x</a>',
    [`${folder}docker-20.10.24.tgz`]: archive,
  });
  const engine = { source: "static", packageMirror: `http://${lab.gateway}:${mirror.port}` } as const;
  const outcome = await provisionHost(machine.request({ engine }), machine.context);
  assert.deepEqual(mirror.asked, [folder, `${folder}docker-20.10.24.tgz`]);
  assert.equal(await machine.ask("/_ping"), "OK");
  assert.equal(outcome.facts.engine.dockerdPath, "/usr/local/bin/dockerd");
  assert.equal(
    await host.sh("systemctl is-enabled docker; systemctl show docker -p FragmentPath"),
    "enabled\nFragmentPath=/etc/systemd/system/docker.service",
  );

  await host.sh("systemctl is-active docker");
  const upgraded = await upgradeEngine(machine.request({ engine }), machine.context);
  assert.equal(upgraded.facts.engine.dockerdPath, "/usr/local/bin/dockerd");
  assert.equal(await machine.ask("/_ping"), "OK");
  await restoreHost(machine.request(), machine.context);
  assert.equal(
    await host.sh("ls /usr/local/bin /etc/systemd/system/docker.service* 2> /dev/null; command -v dockerd || true"),
    "/usr/local/bin:",
  );
});

test("an install script runs whole or not at all", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm");
  await using machine = await openLabMachine(host);
  await using mirror = await serve({
    "/install.sh": "echo 'the script ran as' $(id -un) with $VERSION; echo 'E: and failed'; exit 3",
  });
  const installUrl = `http://${lab.gateway}:${mirror.port}/install.sh`;
  const failed = await failureOf(
    provisionHost(machine.request({ engine: { source: "script", installUrl, version: "27.3" } }), machine.context),
  );
  assert.equal(failed.code, "package-manager");
  assert.match(failed.message, /The install script .* failed:\nE: and failed/u);
  assert.ok(machine.said("debug").includes("the script ran as root with 27.3"));
  const missing = await failureOf(
    provisionHost(machine.request({ engine: { source: "script", installUrl: `${installUrl}x` } }), machine.context),
  );
  assert.equal(missing.code, "download-failed");
});
