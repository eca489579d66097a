/** Things that go wrong in the middle: the host is as it was, or the next run finishes what the last began. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { provisionHost, restoreHost } from "../../src/provision/provision.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { changedFiles, takeSnapshot, withoutFiles } from "./host-snapshot.ts";
import { openLabMachine } from "./lab-machine.ts";
import { failureOf } from "../support/failure.ts";

const skip = (await labUnavailableReason()) ?? false;

const notOurFolder = (path: string): boolean => !path.startsWith("/var/lib/docker-machine/");

test(
  "an engine that does not start with its new settings starts with its old ones, its containers never stopped",
  { skip },
  async () => {
    await using lab = await openLab();
    await using host = await lab.start("busy");
    await using machine = await openLabMachine(host);
    const before = await takeSnapshot(host);
    const error = await failureOf(provisionHost(machine.request({ engine: { options: ["no-such-flag=1"] } }), machine.context));
    assert.equal(error.code, "engine-start");
    assert.match(error.message, /^The engine on web does not start:\n.*unknown flag: --no-such-flag/su);
    const after = await takeSnapshot(host);
    assert.deepEqual([changedFiles(before, after).filter(notOurFolder), withoutFiles(after)], [[], withoutFiles(before)]);
    assert.equal(await host.sh("docker info -f '{{.LiveRestoreEnabled}}'"), "false");
    await provisionHost(machine.request(), machine.context);
    assert.equal(await machine.ask("/_ping"), "OK");
    assert.deepEqual((await takeSnapshot(host)).containers, before.containers);
  },
);

test("a run that is killed at its worst moment is undone by the next, which then does the work", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("busy");
  await using machine = await openLabMachine(host);
  const before = await takeSnapshot(host);
  // Files are written and live-restore is on: the script dies instead of restarting the engine.
  await host.sh(`
    printf '#!/bin/sh\\n[ "$1 $2" = "restart docker.service" ] && { rm -f /usr/local/bin/systemctl; kill -9 $PPID; }\\nexec /usr/bin/systemctl "$@"\\n' > /usr/local/bin/systemctl
    chmod 755 /usr/local/bin/systemctl`);
  await failureOf(provisionHost(machine.request(), machine.context));
  assert.equal(
    await host.sh("cat /etc/docker/daemon.json; ls /var/lib/docker-machine/run/list"),
    '{\n  "live-restore": true\n}\n/var/lib/docker-machine/run/list',
  );

  await provisionHost(machine.request(), machine.context);
  assert.match(machine.said("info").join("\n"), /Undoing what an interrupted run left on web/u);
  assert.equal(await machine.ask("/_ping"), "OK");
  assert.deepEqual((await takeSnapshot(host)).containers, before.containers);
  await restoreHost(machine.request(), machine.context);
  assert.deepEqual(changedFiles(before, await takeSnapshot(host)), []);
});

test("a connection that breaks in the middle leaves a run that ends by itself; the next waits for it", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using machine = await openLabMachine(host);
  const broken = new AbortController();
  const report = (event: { readonly type: string }): void => {
    if (event.type === "configuring-engine") broken.abort(new Error("the line is cut"));
  };
  await assert.rejects(
    provisionHost(machine.request(), { ...machine.context, report, signal: broken.signal }),
    /the line is cut/u,
  );
  await using second = await openLabMachine(host);
  await provisionHost(machine.request(), { ...second.context });
  assert.equal(await machine.ask("/_ping"), "OK");
  assert.equal(await host.sh("ls /var/lib/docker-machine"), "manifest\nowner\nsums");
});

test("a full disk in the middle is named with its file system, and the engine runs as before", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("full-etc-docker");
  await using machine = await openLabMachine(host);
  const pid = await host.sh("cat /run/docker.pid");
  const error = await failureOf(provisionHost(machine.request(), machine.context));
  assert.equal(error.code, "disk-full");
  assert.match(error.message, /There is no space left on tmpfs \(mounted on \/etc\/docker, 0 MiB free\) of web/u);
  assert.equal(
    await host.sh(
      "cat /run/docker.pid; ls /etc/docker | grep -v -e filler -e key.json || true; ls /etc/systemd/system/docker.service.d 2> /dev/null || true",
    ),
    pid,
  );
});

test("an engine that stood still is started and enabled, and stands still again when it is given back", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using machine = await openLabMachine(host);
  const state = (): Promise<string> => host.sh("systemctl is-enabled docker || true; systemctl is-active docker || true");
  await host.sh("systemctl disable --now -q docker.service docker.socket");
  const { plan } = await provisionHost(machine.request(), machine.context);
  assert.deepEqual([plan.enable, plan.restart], [true, true]);
  assert.equal(await machine.ask("/_ping"), "OK");
  assert.equal(await state(), "enabled\nactive");
  await restoreHost(machine.request(), machine.context);
  assert.equal(await state(), "disabled\ninactive");
});

test("an engine that cannot be set up or started is told by its cause, and works once that is gone", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using machine = await openLabMachine(host);
  const provision = async (): Promise<unknown> => await provisionHost(machine.request(), machine.context);
  await host.sh("systemctl mask --now docker.service docker.socket");
  const masked = await failureOf(provision());
  assert.equal(masked.message, "docker.service on web is masked, so that nothing can start the engine");
  await host.sh("systemctl unmask docker.service docker.socket");

  await host.sh("mount --bind /etc/docker /etc/docker && mount -o remount,ro,bind /etc/docker");
  const readOnly = await failureOf(provision());
  assert.match(readOnly.message, /^\/etc\/docker\S* on web cannot be written: its file system is read-only$/u);
  await host.sh("umount /etc/docker");

  await host.sh('printf \'\\357\\273\\277{ "log-level": "warn" }\' > /etc/docker/daemon.json');
  const withMark = await provision().then(
    () => undefined,
    (error: unknown) => String(error),
  );
  // Engines before 23 refuse the mark themselves.
  if (withMark !== undefined) assert.match(withMark, /The engine on web does not start/u);
  await host.sh("rm /etc/docker/daemon.json");
  await provision();
  assert.equal(await machine.ask("/_ping"), "OK");

  // An engine that listened there itself has removed the socket that its unit holds.
  await host.sh("systemctl is-active docker.socket && rm /run/docker.sock");
  await provision();
  assert.equal(await host.sh("docker version -f '{{.Server.Os}}'"), "linux");
});

test("a first boot that waits for a metadata server without an end is told, and gone on from", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using machine = await openLabMachine(host, { bounds: { firstBootMs: 2_000 } });
  await host.sh(`
    mkdir -p /run/cloud-init; touch /run/cloud-init/enabled
    cat > /usr/local/bin/cloud-init << 'END'
#!/bin/sh
case $* in *--wait*) exec sleep 300 ;; esac
printf 'status: running\\ndetail: DataSourceEc2Local\\n'
END
    chmod 755 /usr/local/bin/cloud-init`);
  const request = machine.request({ adopted: false });
  const error = await failureOf(provisionHost(request, machine.context));
  assert.equal(error.code, "timeout");
  assert.equal(
    error.message,
    "cloud-init on web is still at work on its first boot after 2 s: status: running; detail: DataSourceEc2Local",
  );
  assert.match(error.hint ?? "", /metadata server/u);
  assert.equal(await host.sh("pgrep -x sleep || true; ls /etc/docker/*.pem 2> /dev/null || true"), "");
  await host.sh("echo '{}' > /run/cloud-init/result.json");
  await provisionHost(request, machine.context);
  assert.equal(await machine.ask("/_ping"), "OK");
});
