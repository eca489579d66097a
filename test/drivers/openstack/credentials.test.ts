/** Where credentials come from: flags, variables, tokens, clouds.yaml; and what is said where they are wrong, or not there. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { Computer } from "../../../src/system/computer.ts";
import { projectId, userId } from "./catalogue.ts";
import { account } from "./fake-keystone.ts";
import { assertRefused, configOf, type Flags } from "../driver-scene.ts";
import { openScene, placelessComputer } from "./scene.ts";

const none = { username: "", password: "", "tenant-name": "" };

describe("who asks", () => {
  const ways: Readonly<Record<string, Flags>> = {
    "user and project by name, in the default domain": {},
    "both by id": { ...none, "user-id": userId, "tenant-id": projectId, password: account.password },
    "with the name of their domain": { "domain-name": "Default" },
    "with domains of their own": { "user-domain-id": "default", "tenant-domain-name": "Default", "domain-name": "Elsewhere" },
    "an application credential by id": {
      ...none,
      "application-credential-id": account.credentialId,
      "application-credential-secret": account.credentialSecret,
    },
    "an application credential by the user's name for it": {
      ...none,
      username: account.user,
      "application-credential-name": account.credentialName,
      "application-credential-secret": account.credentialSecret,
    },
  };
  for (const [what, flags] of Object.entries(ways)) {
    test(what, async () => {
      await using scene = await openScene();
      await scene.checked(flags);
      assert.equal(scene.cloud.keystone.given, 1);
    });
  }

  test("Keystone is found at an address with its version, without it, and with that of its former one", async () => {
    for (const end of ["", "/", "/v3", "/v3/", "/v2.0/"]) {
      await using scene = await openScene();
      await scene.checked({ "auth-url": scene.cloud.authUrl + end });
    }
  });

  test("a token of another program's", async () => {
    await using first = await openScene();
    const response = await fetch(`${first.cloud.authUrl}/v3/auth/tokens`, {
      method: "POST",
      body: JSON.stringify({
        auth: { identity: { methods: ["password"], password: { user: { id: userId, password: account.password } } } },
      }),
    });
    const env = { OS_TOKEN: response.headers.get("x-subject-token") ?? "" };
    const driver = await first.configured({ ...none, "tenant-name": account.project });
    await assertRefused(driver.preCreateCheck(first.signal), "provider-credentials", /were found/u);
    await using scene = await openScene({ computer: { ...placelessComputer, env } });
    const other = await scene.configured({ ...none, "auth-url": first.cloud.authUrl, "tenant-name": account.project });
    await other.preCreateCheck(scene.signal);
    assert.equal((await configOf(other))["Password"], "");
  });
});

describe("what is wrong with credentials is told with their place", () => {
  const wrong: readonly (readonly [Flags, RegExp])[] = [
    [{ password: "guess-me-not" }, /does not accept the credentials of --openstack-password, OS_PASSWORD/u],
    [{ "user-domain-name": "Elsewhere" }, /does not accept/u],
    [
      { ...none, "application-credential-id": account.credentialId, "application-credential-secret": "guess-me-not" },
      /does not accept the credentials of --openstack-application-credential-secret/u,
    ],
    [
      { ...none, "application-credential-id": "gone", "application-credential-secret": "guess-me-not" },
      /does not know the application credential of --openstack-application-credential-secret/u,
    ],
  ];
  for (const [flags, sentence] of wrong) {
    test(Object.keys(flags).join(" "), async () => {
      await using scene = await openScene();
      const error = await assertRefused(
        (await scene.configured(flags)).preCreateCheck(scene.signal),
        "provider-credentials",
        sentence,
      );
      assert.doesNotMatch(`${error.message} ${error.hint}`, /guess-me-not/u);
      assert.deepEqual([scene.cloud.requests.length, scene.cloud.resources], [1, []]);
    });
  }

  test("an application credential that expired between two commands", async () => {
    await using scene = await openScene();
    const { cloud, signal } = scene;
    const driver = await scene.running({
      ...none,
      "application-credential-id": account.credentialId,
      "application-credential-secret": account.credentialSecret,
    });
    cloud.keystone.credentialIsGone = true;
    cloud.keystone.revokeTokens();
    const later = await scene.reopened(driver);
    await assertRefused(later.stop(signal), "provider-credentials", /does not know the application credential/u);
    await assertRefused(driver.stop(signal), "provider-credentials", /does not know the application credential/u);
    cloud.keystone.credentialIsGone = false;
    await later.remove(signal);
    assert.deepEqual(cloud.resources, []);
  });

  test("none at all: every place is named; without an address, user or project, 0.16.2's words", async () => {
    await using scene = await openScene();
    const check = async (flags: Flags, code: "provider-credentials" | "driver-options", sentence: RegExp): Promise<void> =>
      void (await assertRefused((await scene.configured(flags)).preCreateCheck(scene.signal), code, sentence));
    await check(
      none,
      "provider-credentials",
      /looked at: --openstack-application-credential-secret, OS_APPLICATION_CREDENTIAL_SECRET, --openstack-password, OS_PASSWORD, OS_TOKEN, \/nowhere\/clouds\.yaml, .*\/etc\/openstack\/clouds\.yml \(no cloud is chosen there/u,
    );
    await check(
      { "auth-url": "" },
      "driver-options",
      /^Authentication URL must be specified either using the environment variable OS_AUTH_URL or the CLI option --openstack-auth-url$/u,
    );
    await check(
      { username: "" },
      "driver-options",
      /^Username must be specified either using the environment variable OS_USERNAME/u,
    );
    await check({ "tenant-name": "" }, "driver-options", /^Tenant id or name must be provided either using one of/u);
    assert.deepEqual(scene.cloud.requests, []);
  });

  test("an address where no Keystone is, or nobody", async () => {
    await using scene = await openScene();
    const { cloud, signal } = scene;
    const elsewhere = await scene.configured({ "auth-url": `${cloud.url}/dashboard` });
    await assertRefused(
      elsewhere.preCreateCheck(signal),
      "provider-not-found",
      /no Keystone of version 3 at http:.*\/dashboard\/v3/u,
    );
    const nobody = await scene.configured({ "auth-url": "http://127.0.0.1:1" });
    await assertRefused(nobody.preCreateCheck(signal), "provider-unreachable", /127\.0\.0\.1:1/u);
  });
});

describe("clouds.yaml", () => {
  const entry = (url: string, more = ""): string => `
clouds:
  work:
    auth:
      auth_url: ${url}
      username: ${account.user}
      password: ${account.password}
      project_name: ${account.project}
      user_domain_name: Default
      project_domain_id: default
    region_name: RegionOne
    interface: internal
${more}`;

  /** A scene on a computer with these files. */
  async function withFiles(
    files: (home: string, url: string) => Readonly<Record<string, string>>,
    env: (home: string) => Computer["env"] = () => ({}),
  ) {
    const home = await mkdtemp(path.join(tmpdir(), "docker-machine-clouds-"));
    const scene = await openScene({
      computer: { ...placelessComputer, homeDir: home, cwd: path.join(home, "here"), env: env(home) },
    });
    for (const [name, text] of Object.entries(files(home, scene.cloud.authUrl))) {
      await mkdir(path.dirname(path.join(home, name)), { recursive: true });
      await writeFile(path.join(home, name), text);
    }
    const flags: Flags = { ...none, "auth-url": "", cloud: "work" };
    return {
      scene,
      flags,
      check: async (more: Flags = {}) => await scene.checked({ ...flags, ...more }),
      [Symbol.asyncDispose]: async () => {
        await scene[Symbol.asyncDispose]();
        await rm(home, { recursive: true, force: true });
      },
    };
  }

  test("is found here, at home, or where a variable says; nothing of it is stored but the name", async () => {
    for (const [name, env] of [
      ["here/clouds.yaml", () => ({})],
      [".config/openstack/clouds.yaml", () => ({})],
      ["xdg/openstack/clouds.yml", (home: string) => ({ XDG_CONFIG_HOME: path.join(home, "xdg") })],
      ["elsewhere.yaml", (home: string) => ({ OS_CLIENT_CONFIG_FILE: path.join(home, "elsewhere.yaml") })],
    ] as const) {
      await using made = await withFiles((_home, url) => ({ [name]: entry(url) }), env);
      const { AuthUrl, Username, Password, TenantName, Cloud } = await configOf(await made.check());
      assert.deepEqual([AuthUrl, Username, Password, TenantName, Cloud], ["", "", "", "", "work"]);
    }
  });

  test("secrets beside it count over it, its profile below it, and flags over all", async () => {
    const secure = `clouds: {work: {auth: {password: ${account.password}}}}`;
    await using made = await withFiles((_home, url) => ({
      "here/clouds.yaml": "clouds: {work: {profile: acme, auth: {username: bob, password: old, project_name: web-team}}}",
      "here/secure.yaml": secure,
      "here/clouds-public.yaml": `public-clouds: {acme: {auth: {auth_url: "${url}"}}}`,
    }));
    await made.check({ username: account.user });
    await assertRefused(
      made.check(),
      "provider-credentials",
      /does not accept the credentials of the cloud work in .*here\/clouds\.yaml/u,
    );
  });

  test("application credentials, by their kind; kinds that are unknown here are told", async () => {
    const credential = `{application_credential_id: ${account.credentialId}, application_credential_secret: ${account.credentialSecret}`;
    const of = (kind: string) => (_home: string, url: string) => ({
      "here/clouds.yaml": `clouds: {work: {auth_type: ${kind}, auth: ${credential}, auth_url: "${url}"}}}`,
    });
    await using good = await withFiles(of("v3applicationcredential"));
    await good.check();
    await using odd = await withFiles(of("v3oidcpassword"));
    await assertRefused(odd.check(), "provider-unsupported", /cannot authenticate to OpenStack by "v3oidcpassword"/u);
    await using other = await withFiles(of("password"));
    await assertRefused(other.check(), "provider-credentials", /were found/u);
  });

  test("addresses that it gives in place of the catalog's are asked", async () => {
    await using made = await withFiles((_home, url) => ({
      "here/clouds.yaml": entry(url, `    compute_endpoint_override: ${url.replace("/identity", "/compute/v2.1")}\n`),
    }));
    made.scene.cloud.keystone.missingService = "compute";
    await made.check();
  });

  test("what is not there, or no YAML, is told without what is in it", async () => {
    await using made = await withFiles((_home, url) => ({ "here/clouds.yaml": entry(url) }));
    const absent = await assertRefused(
      made.check({ cloud: "play" }),
      "provider-credentials",
      /clouds\.yaml has no cloud "play"$/u,
    );
    assert.match(String(absent.hint), /one of work with --openstack-cloud/u);
    await using broken = await withFiles(() => ({ "here/clouds.yaml": `clouds: [${account.password}` }));
    const error = await assertRefused(broken.check(), "provider-credentials", /is not YAML/u);
    assert.ok(!`${error.message}${String(error.cause)}`.includes(account.password));
    await using empty = await withFiles(() => ({}));
    await assertRefused(
      empty.check(),
      "provider-credentials",
      /no clouds\.yaml with the cloud "work"; looked at: .*here\/clouds\.yaml/u,
    );
    await using list = await withFiles(() => ({ "here/clouds.yaml": "clouds: [work]" }));
    await assertRefused(list.check(), "provider-credentials", /does not hold clouds by their names/u);
  });

  test("a root of the cloud's own that is no certificate", async () => {
    await using made = await withFiles((_home, url) => ({
      "here/clouds.yaml": entry(url, "    cacert: roots.pem\n"),
      "here/roots.pem": "none",
    }));
    await assertRefused(
      made.check(),
      "driver-options",
      /^Ill-formed CA certificate\(s\) PEM file: .*here\/roots\.pem holds none$/u,
    );
  });
});
