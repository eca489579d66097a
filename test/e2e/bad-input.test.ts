/**
 * What users, networks and disks do wrong: one sentence, a way out, the right exit status, and the store as it was, or
 * a machine that `ls` shows and `rm` removes.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import { openUnrulyProxy, type UnrulyProxy } from "../lab/unruly-proxy.ts";
import { assertFailed, assertFails, failureIn, type ExpectedFailure } from "./failing.ts";
import { createArguments } from "./generic-flags.ts";
import { output, Program } from "./program.ts";
import { machineFolders, readStore } from "./store-contents.ts";

const unavailable = await labUnavailableReason();

/** Short bounds: what these tests wait for never comes. */
const hasty = { MACHINE_TIMEOUT_SSH: "15s", MACHINE_TIMEOUT_SSH_CONNECT: "10s" };

interface Refusal extends ExpectedFailure {
  readonly what: string;
  /** Behind the flags that lead to the host. */
  readonly flags: readonly string[];
  readonly name?: string;
}

describe("bad input", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  /** Has the machine `taken`, which must not suffer. */
  let host: LabHost;
  /** For machines that come into being and go. */
  let spare: LabHost;
  let program: Program;
  before(async () => {
    lab = await openLab();
    [host, spare] = await Promise.all([lab.start("bookworm-engine"), lab.start("bookworm-engine")]);
    program = await Program.open();
    await writeKeys(program.folder);
    await program.ok(createArguments(host, "taken"));
  });
  afterEach(async () => {
    await program.run(["rm", "-f", "-y", "web"]);
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await lab.close();
  });

  const refusals: readonly Refusal[] = [
    {
      what: "a key that the host does not know",
      flags: ["--generic-ssh-key", "stranger"],
      phase: "detecting OS",
      sentence: /^User "root" was refused by [\d.]+:22: tried .*stranger \(SHA256:\S+\)$/u,
      hint: /^Check the user name, and that the public key stands in ~\/\.ssh\/authorized_keys on the machine\.$/u,
    },
    {
      what: "a user that the host does not have",
      flags: ["--generic-ssh-user", "nobody-of-that-name"],
      sentence: /^User "nobody-of-that-name" was refused by [\d.]+:22: tried .*id_ed25519 \(SHA256:\S+\)$/u,
      hint: /^Check the user name/u,
    },
    {
      what: "a port where nothing listens",
      flags: ["--generic-ssh-port", "23"],
      sentence: /^Nothing listens for SSH at [\d.]+:23: the connection was refused$/u,
      hint: /^Check the port, and that sshd is running on the machine\.$/u,
    },
    {
      what: "a port that belongs to another service",
      flags: ["--generic-ssh-port", "2376"],
      sentence: /^SSH did not become available within 15 s\. Last error: .*[\d.]+:2376 .*$/u,
      hint: /./u,
    },
    {
      what: "a key that does not exist",
      flags: ["--generic-ssh-key", "nowhere"],
      status: 3,
      sentence: /^Error with pre-create check: "SSH key does not exist: \\".*\/nowhere\\""$/u,
      hint: /^Check the path of the key\.$/u,
    },
    {
      what: "a key that others can read",
      flags: ["--generic-ssh-key", "open"],
      status: 3,
      sentence: /^Error with pre-create check: "permissions 0644 for '.*\/open' are too open"$/u,
      hint: /^chmod 600 '.*\/open'$/u,
    },
    {
      what: "a public key in place of the private one",
      flags: ["--generic-ssh-key", "stranger.pub"],
      status: 3,
      sentence: /^Error with pre-create check: ".*\/stranger\.pub is a public key, not a private one"$/u,
      hint: /^Give the private key: usually .*\/stranger$/u,
    },
    {
      what: "a name that is taken",
      flags: [],
      name: "taken",
      sentence: /^Docker machine "taken" already exists$/u,
      hint: /^Choose another name, or remove it first with: docker-machine rm taken$/u,
    },
    {
      what: "a name that differs from a taken one only in case",
      flags: [],
      name: "Taken",
      sentence: /^Docker machine "taken" already exists$/u,
      hint: /Choose another name/u,
    },
    {
      what: "a name that is none",
      flags: [],
      name: "no_name",
      sentence: /^Error creating machine: Invalid hostname specified\. Allowed hostname chars are: 0-9a-zA-Z \. -$/u,
      hint: /"no_name" is not a machine name/u,
    },
    {
      what: "a port that is no number of a port",
      flags: ["--generic-ssh-port", "70000"],
      sentence: /^Error setting machine configuration from flags provided: --generic-ssh-port 70000 is not a port number$/u,
      hint: /^$/u,
    },
    {
      what: "an engine source that there is not",
      flags: ["--engine-source", "thin-air"],
      status: 2,
      sentence: /thin-air/u,
      hint: /^$/u,
    },
  ];

  for (const { what, flags, name = "web", ...expected } of refusals) {
    test(`${what}: the store stays as it was`, async () => {
      await unchanged(program, () => assertFails(program, createArguments(host, name, ...flags), expected, { env: hasty }));
    });
  }

  test("the native back end refuses in the same words", async () => {
    const env = { ...hasty, MACHINE_NATIVE_SSH: "1" };
    for (const { flags, ...expected } of refusals.slice(0, 3)) {
      await unchanged(program, () => assertFails(program, createArguments(host, "web", ...flags), expected, { env }));
    }
  });

  test("a host that is cut off: no answer, then no machine", async () => {
    await using silent = await lab.start("bookworm");
    await silent.cutCable();
    await unchanged(program, () =>
      assertFails(
        program,
        createArguments(silent, "web"),
        {
          sentence:
            /^SSH did not become available within 15 s\. Last error: (?:No answer from [\d.]+:22 within 10 s|There is no route to [\d.]+:22)$/u,
          hint: /^Check the address/u,
        },
        { env: hasty },
      ),
    );
  });

  for (const native of [false, true]) {
    test(`a connection that breaks, ${native ? "native" : "OpenSSH"}: before the login no machine stays, in provisioning one to go on with`, async () => {
      await using proxy = await openUnrulyProxy(
        { address: spare.address, port: spare.sshPort },
        { kind: "cut", afterBytes: 900 },
      );
      const env = { ...hasty, ...(native ? { MACHINE_NATIVE_SSH: "1" } : {}) };
      await unchanged(program, () => assertFails(program, throughProxy(spare, proxy), hungUp, { env }));
      assert.ok(proxy.connections > 1, "it is tried again");

      proxy.behave({ kind: "none" });
      const running = program.start(throughProxy(spare, proxy), { env });
      await running.said(/^Setting Docker configuration/mu);
      proxy.resetAll();
      assertFailed(failureIn(await running.ended, ["create"]), {
        sentence: /^The SSH connection to 127\.0\.0\.1:\d+ broke while a command was running(?: \([^\n]+\))?$/u,
        hint: /^Check that the machine is still up, then run the command again\.$/u,
      });
      await showsAndRemoves(program, "web");
    });
  }

  test("Ctrl-C while SSH is awaited: 130, and the store as it was", async () => {
    await using silent = await openUnrulyProxy({ address: host.address, port: host.sshPort }, { kind: "black-hole" });
    await unchanged(program, async () => await interrupted(program, throughProxy(host, silent), /^Waiting for SSH/mu));
  });

  test("Ctrl-C while the host is changed: 130, and a machine that create goes on with", async () => {
    const create = createArguments(spare, "web");
    await interrupted(program, create, /^Setting Docker configuration/mu);
    assert.match(await program.ok(["ls"]), /^web\s.*create failed at "provision"; run docker-machine provision web to go on/mu);
    assert.match(await program.ok(create), /^Continuing the create of "web"[^]*^Docker is up and running!$/mu);
    await program.ok(["env", "web"]);
  });

  test("SIGKILL in the middle: the machine is shown, and the same create goes on with it", async () => {
    const create = createArguments(spare, "web");
    for (const moment of [
      /^Creating machine/mu,
      /^Waiting for SSH/mu,
      /^Provisioning with/mu,
      /^Setting Docker configuration/mu,
    ]) {
      const running = program.start(create);
      await running.said(moment);
      running.signal("SIGKILL");
      assert.equal((await running.ended).signal, "SIGKILL");
      assert.match(await program.ok(["ls"]), /^taken\s.*Running/mu);
    }
    assert.match(await program.ok(create), /^Continuing the create of "web"[^]*^Docker is up and running!$/mu);
    await program.ok(["env", "web"]);
    assert.deepEqual((await machineFolders(program.store)).toSorted(), ["taken", "web"]);
  });

  test("a full disk here: the file is named, and no machine is left that rm could not remove", async () => {
    await using small = await openSmallStore(program);
    await assertFails(
      program,
      createArguments(host, "web", "--generic-ssh-key", "nowhere"),
      { status: 3, sentence: /does not exist/u, hint: /./u },
      small,
    );
    const before = await readStore(small.folder);
    const sentences = new Set<string>();
    for (const freeKiB of [0, 4, 8, 16, 24, 32]) {
      await small.leave(freeKiB);
      const { sentence } = await assertFails(
        program,
        createArguments(host, "web"),
        {
          sentence: /^Cannot (?:write|create) \S+: no space left$/u,
          hint: /^Free some space on the file system of \S+ and run the command again\.$/u,
        },
        small,
      );
      sentences.add(sentence);
      if ((await machineFolders(small.folder)).includes("web")) await showsAndRemoves(program, "web", small);
      await small.leave(undefined);
      assert.deepEqual(await readStore(small.folder), before, `${freeKiB} KiB`);
    }
    assert.ok(sentences.size > 2, `Different files were met: ${[...sentences].join("\n")}`);
  });
});

const hungUp: ExpectedFailure = {
  sentence:
    /^SSH did not become available within 15 s\. Last error: 127\.0\.0\.1:\d+ closed the connection before the login(?:: [^\n]+)?$/u,
  hint: /^The server may be starting, at its limit of connections, or may have banned this computer's address\.$/u,
};

async function writeKeys(folder: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPair("stranger");
  await writeFile(path.join(folder, "stranger"), privateKey, { mode: 0o600 });
  await writeFile(path.join(folder, "stranger.pub"), `${publicKey}\n`);
  await writeFile(path.join(folder, "open"), privateKey, { mode: 0o644 });
}

/** The store is the same before and after. */
async function unchanged(program: Program, work: () => Promise<unknown>): Promise<void> {
  const before = await readStore(program.store);
  await work();
  assert.deepEqual(await readStore(program.store), before);
}

async function showsAndRemoves(
  program: Program,
  name: string,
  options: { readonly env?: Record<string, string> } = {},
): Promise<void> {
  assert.match(await program.ok(["ls", "-q"], options), new RegExp(`^${name}$`, "mu"));
  await program.ok(["rm", "-y", name], options);
  assert.doesNotMatch(await program.ok(["ls", "-q"], options), new RegExp(`^${name}$`, "mu"));
}

function throughProxy(host: LabHost, proxy: UnrulyProxy): string[] {
  return createArguments({ ...host, address: proxy.address, sshPort: proxy.port }, "web");
}

/** Interrupts as a terminal does, once the moment has come. */
async function interrupted(program: Program, args: readonly string[], moment: RegExp): Promise<void> {
  const running = program.start(args);
  await running.said(moment);
  running.signal("SIGINT", "group");
  const { status, stderr } = await running.ended;
  assert.equal(stderr, "Interrupted. Interrupt again to stop at once.\nInterrupted\n");
  assert.equal(status, 130);
}

interface SmallStore extends AsyncDisposable {
  readonly folder: string;
  readonly env: Record<string, string>;
  /** Fills it up to so much; undefined empties it again. */
  leave(freeKiB: number | undefined): Promise<void>;
}

/** A store on a file system of its own that can be filled to the last block. */
async function openSmallStore(program: Program): Promise<SmallStore> {
  const folder = path.join(program.folder, "small");
  await mkdir(folder);
  await output("mount", ["-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", folder]);
  const filler = path.join(folder, "filler");
  return {
    folder,
    env: { MACHINE_STORAGE_PATH: folder },
    leave: async (freeKiB) => {
      await output("sh", [
        "-c",
        'rm -f "$0"; [ -z "$1" ] || { head -c 1M /dev/zero > "$0" 2> /dev/null || true; truncate -s "-${1}K" "$0"; }',
        filler,
        `${freeKiB ?? ""}`,
      ]);
    },
    [Symbol.asyncDispose]: async () => void (await output("umount", [folder])),
  };
}
