/** Docker's own kind of package repository: its key is verified, its versions can be chosen, an upgrade stops nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { provisionHost, restoreHost, upgradeEngine } from "../../src/provision/provision.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { failureOf } from "../support/failure.ts";
import { changedFiles, takeSnapshot, withoutFiles } from "./host-snapshot.ts";
import { openLabMachine } from "./lab-machine.ts";

const skip = (await labUnavailableReason()) ?? false;

test(
  "an engine of Docker's packages: verified, of the version asked for, upgraded under a running container",
  { skip },
  async (t) => {
    await using lab = await openLab();
    await using repository = await lab.serveDockerRepository();
    await using host = await lab.start("bookworm");
    await using machine = await openLabMachine(host);
    const before = await takeSnapshot(host);
    const [oldest = "", newest = ""] = repository.versions.bookworm.map((version) => /(\d+\.\d+\.\d+)/u.exec(version)?.[1] ?? "");
    const engine = { source: "docker", packageMirror: repository.url, packageKeys: [repository.keyFingerprint] } as const;

    await t.test("a key with another fingerprint stops everything before anything is installed", async () => {
      const error = await failureOf(
        provisionHost(machine.request({ engine: { ...engine, packageKeys: undefined } }), machine.context),
      );
      assert.equal(error.code, "download-failed");
      assert.match(
        error.message,
        new RegExp(`has the fingerprint ${repository.keyFingerprint}, expected was 9DC858229FC7DD38`, "u"),
      );
      assert.equal(
        await host.sh(
          "ls /etc/apt/keyrings/docker.asc /etc/apt/sources.list.d/docker.list 2> /dev/null; command -v dockerd || true",
        ),
        "",
      );
    });

    await t.test("a version that there is not is said to be missing", async () => {
      const error = await failureOf(provisionHost(machine.request({ engine: { ...engine, version: "1.2.3" } }), machine.context));
      assert.equal(error.code, "package-manager");
      assert.match(error.message, /^No docker-ce of version 1\.2\.3 can be had/u);
      assert.equal(
        await host.sh("ls /etc/apt/sources.list.d/docker.list 2> /dev/null || true"),
        "",
        "the repository is taken out again",
      );
    });

    await t.test("the version asked for is installed", async () => {
      const outcome = await provisionHost(machine.request({ engine: { ...engine, version: oldest } }), machine.context);
      assert.ok(outcome.engineVersion.startsWith(oldest), outcome.engineVersion);
      assert.equal(outcome.facts.engine.ownerPackage, "docker-ce");
      assert.equal(await machine.ask("/_ping"), "OK");
    });

    await t.test("an upgrade brings the newest, and the container runs through it", async () => {
      await host.sh(`
      tar -hc -C / bin/sleep lib/x86_64-linux-gnu/libc.so.6 lib64/ld-linux-x86-64.so.2 | docker import - tiny > /dev/null
      docker run -d --name sleeper tiny /bin/sleep 1000 > /dev/null`);
      const running = await takeSnapshot(host);
      assert.equal(running.containers.length, 1);
      const engineAtWork = await host.sh("pidof dockerd");
      const unheardOf = machine.request({ engine: { ...engine, version: "99.1", allowDowngrade: true } });
      await assert.rejects(upgradeEngine(unheardOf, machine.context), {
        code: "package-manager",
        message: /99\.1 can be had/u,
        untouched: true,
      });
      assert.equal(await host.sh("pidof dockerd"), engineAtWork, "what cannot be had restarts nothing");
      const outcome = await upgradeEngine(machine.request({ engine }), machine.context);
      assert.ok(outcome.engineVersion.startsWith(newest), outcome.engineVersion);
      assert.deepEqual((await takeSnapshot(host)).containers, running.containers);
      assert.equal(await machine.ask("/_ping"), "OK");
      assert.equal(
        await host.sh("docker info -f '{{.LiveRestoreEnabled}}'; ls /etc/docker/daemon.json 2> /dev/null || true"),
        "false",
      );
    });

    await t.test("what was installed can be taken away again", async () => {
      await restoreHost(machine.request(), machine.context);
      const after = await takeSnapshot(host);
      assert.deepEqual(withoutFiles(after).packages, withoutFiles(before).packages);
      assert.deepEqual(
        changedFiles(before, after).filter((path) => /docker|keyrings|containerd/u.test(path)),
        [],
      );
    });
  },
);
