/** What is found out before anything is made: wrong options, what the account and the region lack, where the token is. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { generateKeyPair } from "../../../src/ssh/keys.ts";
import { assertRefused, bareComputer, configOf } from "../driver-scene.ts";
import { openScene } from "./scene.ts";

describe("what is checked before anything is made", () => {
  const cases: readonly (readonly [flags: Readonly<Record<string, FlagValue>>, ErrorCode, RegExp])[] = [
    [{ "digitalocean-region": "mars1" }, "provider-not-found", /requires a valid region.*"mars1"/u],
    [{ "digitalocean-region": "sfo1" }, "provider-capacity", /sfo1 takes no new droplets/u],
    [{ "digitalocean-size": "huge" }, "provider-not-found", /no size "huge"/u],
    [{ "digitalocean-size": "g-2vcpu-8gb" }, "provider-capacity", /g-2vcpu-8gb cannot be had in the region nyc3/u],
    [{ "digitalocean-image": "beos" }, "provider-not-found", /no image "beos"/u],
    [{ "digitalocean-image": "ubuntu-16-04-x64" }, "provider-not-found", /no image/u],
    [{ "digitalocean-image": "4711" }, "provider-not-found", /no image "4711"/u],
    [{ "digitalocean-image": "fedora" }, "provider-capacity", /not in the region nyc3/u],
    [{ "digitalocean-image": "777", "digitalocean-region": "fra1" }, "provider-capacity", /not in the region fra1/u],
    [{ "digitalocean-vpc-uuid": "none" }, "provider-not-found", /no VPC none/u],
    [{ "digitalocean-vpc-uuid": "e0fe0f4d-596a-465e-a902-571ce57b79fa" }, "provider-not-found", /is in the region fra1/u],
    [{ "digitalocean-project": "Attic" }, "provider-not-found", /no project "Attic"/u],
    [{ "digitalocean-userdata": "/no/file" }, "driver-options", /^user-data file \/no\/file could not be found$/u],
    [
      { "digitalocean-ssh-key-fingerprint": "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99" },
      "provider-not-found",
      /^Digital Ocean SSH key with fingerprint aa:.* doesn't exist$/u,
    ],
    [
      { "digitalocean-ssh-key-fingerprint": "42", "digitalocean-ssh-key-path": "/no/key" },
      "driver-options",
      /^SSH key does not exist: "\/no\/key"$/u,
    ],
  ];
  for (const [flags, code, sentence] of cases) {
    test(Object.values(flags).join(" "), async () => {
      await using scene = await openScene();
      await assertRefused((await scene.configured(flags)).preCreateCheck(scene.signal), code, sentence);
      assert.deepEqual(scene.cloud.resources, []);
    });
  }

  test("a locked account", async () => {
    await using scene = await openScene();
    scene.cloud.accountStatus = "locked";
    await assertRefused(
      (await scene.configured()).preCreateCheck(scene.signal),
      "provider-account",
      /locked the account: A bill/u,
    );
  });

  test("a machine's name that a droplet cannot bear", async () => {
    await using scene = await openScene({ machineName: "web-" });
    await assertRefused((await scene.configured()).preCreateCheck(scene.signal), "driver-options", /no instance named "web-"/u);
    assert.deepEqual(scene.cloud.requests, []);
  });

  test("a wrong token, by the place it comes from", async () => {
    await using scene = await openScene();
    const driver = await scene.configured({ "digitalocean-access-token": "dop_v1_wrong" });
    const error = await assertRefused(
      driver.preCreateCheck(scene.signal),
      "provider-credentials",
      /token of --digitalocean-access-token/u,
    );
    assert.doesNotMatch(`${error.message} ${error.hint}`, /dop_v1_wrong/u);
    assert.equal(scene.cloud.requests.length, 1);
  });

  test("user data that is too large, or a key that is another", async () => {
    await using scene = await openScene();
    const { cloud, context, signal } = scene;
    const file = path.join(context.storePath, "data");
    await writeFile(file, `#cloud-config\n# ${"x".repeat(65_000)}\n`);
    const large = await scene.configured({ "digitalocean-userdata": file });
    await assertRefused(large.preCreateCheck(signal), "driver-options", /has \d+ bytes, and the provider takes 65536/u);
    const [theirs, mine] = [generateKeyPair("theirs"), generateKeyPair("mine")];
    const { fingerprint } = cloud.addKey("theirs", theirs.publicKey);
    await writeFile(path.join(context.storePath, "id"), mine.privateKey, { mode: 0o600 });
    const other = await scene.configured({
      "digitalocean-ssh-key-fingerprint": fingerprint,
      "digitalocean-ssh-key-path": path.join(context.storePath, "id"),
    });
    await assertRefused(other.preCreateCheck(signal), "driver-options", /is not the key that the account has/u);
  });
});

test("an image's word becomes the newest that the region has, and is kept", async () => {
  for (const [word, image] of [
    ["ubuntu", "ubuntu-26-04-x64"],
    ["ubuntu-24.04", "ubuntu-24-04-x64"],
    ["debian", "debian-13-x64"],
    ["debian-12", "debian-12-x64"],
    ["centos-9", "centos-stream-9-x64"],
    ["debian-12-x64", "debian-12-x64"],
    ["777", "777"],
  ] as const) {
    await using scene = await openScene();
    const driver = await scene.checked({ "digitalocean-image": word });
    assert.equal((await configOf(driver))["Image"], image);
    await driver.create(scene.signal);
    assert.equal(String((scene.cloud.asked[0] as { image: unknown }).image), image);
  }
});

describe("a project", () => {
  const shop = "4e1bfbc3-dc3e-41f2-a18f-1b4d7ba71679";
  const join = /^POST .*\/resources$/u;

  for (const wanted of ["Web shop", shop]) {
    test(`gets the droplet: ${wanted}`, async () => {
      await using scene = await openScene();
      const { cloud, signal } = scene;
      cloud.fault(join, { kind: "lost" });
      const driver = await scene.created({ "digitalocean-project": wanted });
      assert.deepEqual([...cloud.projectOf], [[(await configOf(driver))["DropletID"], shop]]);
      assert.ok(!scene.lines().some((line) => line.includes("not in the project")));
      await driver.remove(signal);
      assert.deepEqual(cloud.resources, []);
    });
  }

  test("that the token may not change is told of, and the machine is made", async () => {
    await using scene = await openScene();
    scene.cloud.fault(join, { kind: "refused", status: 403, id: "forbidden", message: "You are not authorized" });
    const driver = await scene.created({ "digitalocean-project": "Web shop" });
    assert.equal(scene.cloud.droplets.size, 1);
    const { DropletID } = await configOf(driver);
    const how = `doctl projects resources assign ${shop} --resource=do:droplet:${String(DropletID)}`;
    assert.ok(scene.lines().some((line) => line.includes("may not do this") && line.endsWith(how)));
  });

  test("is not asked for where none is wanted", async () => {
    await using scene = await openScene();
    await scene.created();
    assert.ok(!scene.cloud.requests.some((request) => request.includes("projects")));
  });
});

test("where the token comes from: the flag, the variables, doctl's file; else all places are named", async () => {
  await using scene = await openScene();
  const token = String((await configOf(await scene.configured()))["AccessToken"]);
  const home = path.join(scene.context.storePath, "home");
  await mkdir(path.join(home, ".config/doctl"), { recursive: true });
  const file = path.join(home, ".config/doctl/config.yaml");
  const withDoctl = async (yaml: string, env: Readonly<Record<string, string>> = {}): Promise<void> => {
    await writeFile(file, yaml);
    await using other = await openScene({ computer: { ...bareComputer, homeDir: home, env } });
    const driver = await other.configured({ "digitalocean-access-token": "" });
    await driver.preCreateCheck(other.signal);
    assert.equal((await configOf(driver))["AccessToken"], "", "what is not the command line's is not stored");
  };
  await withDoctl("", { DIGITALOCEAN_TOKEN: token });
  await withDoctl("access-token: wrong\n", { DIGITALOCEAN_ACCESS_TOKEN: token });
  await withDoctl(`access-token: ${token}\ncontext: default\n`);
  await withDoctl(`access-token: wrong\nauth-contexts:\n  work: ${token}\ncontext: work\n`);
  await withDoctl(`access-token: wrong\nauth-contexts:\n  work: ${token}\n`, { DIGITALOCEAN_CONTEXT: "work" });
  await assertRefused(withDoctl("context: gone\n"), "provider-credentials", /no token of the context "gone"/u);
  const broken = await assertRefused(withDoctl(`a: [${token}`), "provider-credentials", /is not YAML/u);
  assert.ok(!`${broken.message}${String(broken.cause)}`.includes(token));
  await assertRefused(
    withDoctl(""),
    "provider-credentials",
    /looked at: --digitalocean-access-token, DIGITALOCEAN_ACCESS_TOKEN, DIGITALOCEAN_TOKEN, .*doctl\/config\.yaml$/u,
  );
});
