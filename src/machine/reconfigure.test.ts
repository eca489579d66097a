/** Settings that change on a machine that stands: what is made anew for them, and what is left as it is. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { it } from "node:test";
import { driverOptions, type FlagValue } from "../driver-kit/create-flag.ts";
import { never, Scene } from "../testing/scene.ts";
import { reconfigureMachine } from "./reconfigure.ts";

it("a name that is taken from a machine's certificate is in it no more; other settings leave the certificate alone", async () => {
  await using scene = new Scene({ provisionable: true, injectsHostKeys: false }).withEngine();
  const asked = { "fake-size": "small", "tls-key-type": "ecdsa", "engine-source": "auto" };
  await scene.create("web", { "tls-san": ["a.example", "b.example"] });
  const certificate = (): string => readFileSync(path.join(scene.context.store.machineDir("web"), "server.pem"), "utf8");
  const change = async (given: Readonly<Record<string, FlagValue>>): Promise<void> => {
    const options = driverOptions({ ...asked, ...given });
    await reconfigureMachine(scene.context, { name: "web", options, flags: Object.keys(given) }, never);
  };
  const first = certificate();
  await change({ "engine-opt": ["log-driver=local"] });
  assert.equal(certificate(), first);
  await change({ "tls-san": ["b.example"] });
  assert.match(new X509Certificate(certificate()).subjectAltName ?? "", /b\.example/u);
  assert.doesNotMatch(new X509Certificate(certificate()).subjectAltName ?? "", /a\.example/u);
});
