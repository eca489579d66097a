/**
 * Renewing certificates, provisioning again and a changed address stop no container: one that notes the time goes on
 * without a gap, on an engine whose owner never switched live-restore on.
 */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { assertFails } from "./failing.ts";
import { createArguments } from "./generic-flags.ts";
import { output, Program } from "./program.ts";
import { startTicker } from "./ticker.ts";

const unavailable = await labUnavailableReason();

describe("renewal", { skip: unavailable ?? false }, () => {
  test("a container goes on through create, provision, regenerate-certs and another address", async (t) => {
    await using lab = await openLab();
    await using host = await lab.start("bookworm-engine");
    await using program = await Program.open();
    const ticker = await startTicker(host);
    const serverCertificate = path.join(program.store, "machines/web/server.pem");
    await program.ok(createArguments(host, "web"));
    await ticker.assertUndisturbed("create");

    await t.test("provision, with and without something to change", async () => {
      await program.ok(["provision", "web"]);
      await ticker.assertUndisturbed("provision of what is as wanted");
      await host.sh("rm /etc/docker/server.pem /etc/systemd/system/docker.service.d/*");
      await program.ok(["provision", "web"]);
      await ticker.assertUndisturbed("provision that repairs");
      assert.equal(await program.ok(["version", "web"]), `${await engineVersion(host)}\n`);
    });

    await t.test("regenerate-certs gives the engine another certificate", async () => {
      const before = await presentedSerial(host);
      await program.ok(["regenerate-certs", "--force", "web"]);
      await ticker.assertUndisturbed("regenerate-certs");
      assert.notEqual(await presentedSerial(host), before);
      await program.ok(["env", "web"]);
    });

    await t.test("its end stands in the listing, and is warned of 30 days ahead", async () => {
      const [listed] = JSON.parse(await program.ok(["ls", "--output", "json"])) as { certificateExpires: string }[];
      const expires = listed?.certificateExpires ?? "";
      const written = await output("openssl", ["x509", "-noout", "-enddate", "-in", serverCertificate]);
      assert.equal(new Date(written.trim().replace("notAfter=", "")).toISOString(), expires);
      assert.doesNotMatch((await program.run(["env", "web"])).stderr, /expires/u);
      const fresh = await readFile(serverCertificate);
      const warnings: (string | undefined)[] = [];
      for (const days of [29, 31]) {
        await writeFile(serverCertificate, await endingIn(program, fresh, days));
        const { status, stderr } = await program.run(["url", "web"]);
        assert.equal(status, 0, stderr);
        warnings.push(/^The certificate of "web" .*$/mu.exec(stderr)?.[0]);
      }
      assert.match(warnings[0] ?? "", /expires .*Renew it with: docker-machine regenerate-certs web$/u);
      assert.equal(warnings[1], undefined);
      await writeFile(serverCertificate, fresh);
    });

    await t.test("another address needs no certificate to be recognised, and gets one without a stop", async () => {
      await using moved = await host.changeAddress();
      await tellAddress(program, host, moved);
      const before = await readFile(serverCertificate, "utf8");
      const url = `tcp://${moved.address}:2376`;
      assert.equal(await program.ok(["url", "web"]), `${url}\n`);
      assert.equal(await program.ok(["version", "web"]), `${await engineVersion(host)}\n`);
      assert.match(await program.ok(["ls"]), new RegExp(`^web +- +generic +Running +${url} `, "mu"));
      assert.equal(await program.ok(["ssh", "web", "id", "-un"]), "root\n");
      assert.equal(await readFile(serverCertificate, "utf8"), before);
      await ticker.assertUndisturbed("a changed address");
      // A docker client knows the address alone.
      await assertFails(program, ["env", "web"], {
        sentence: /There was an error validating certificates for host/u,
        hint: /^/u,
      });
      await program.ok(["regenerate-certs", "--force", "web"]);
      await ticker.assertUndisturbed("a certificate for the changed address");
      const client = (await program.ok(["config", "web"]))
        .trimEnd()
        .split("\n")
        .map((word) => word.replaceAll('"', ""));
      assert.match(await output("docker", [...client, "ps", "--format", "{{.Names}}"]), /^ticker$/mu);
    });
  });
});

async function engineVersion(host: LabHost): Promise<string> {
  return await host.sh("docker version -f '{{.Server.Version}}'");
}

/** Serial number of the certificate that the engine shows. */
async function presentedSerial({ address }: LabHost): Promise<string> {
  const script = 'openssl s_client -connect "$1:2376" < /dev/null 2> /dev/null | openssl x509 -noout -serial';
  return await output("bash", ["-c", script, "bash", address]);
}

/** A certificate as the one given, but for its dates: from now on, for so many days. */
async function endingIn(program: Program, pem: Buffer, days: number): Promise<string> {
  const key = path.join(program.store, "machines/web/server-key.pem");
  return await output("openssl", ["x509", "-signkey", key, "-days", `${days}`], { stdin: pem });
}

/** What the owner of a box does that got another address. */
async function tellAddress(program: Program, from: LabHost, to: LabHost): Promise<void> {
  const file = path.join(program.store, "machines/web/config.json");
  await writeFile(file, (await readFile(file, "utf8")).replaceAll(from.address, to.address));
}
