/** Many machines, one command: created, asked and changed at once, in the order of their names, and no failure hides another's success. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import { assertFails, failureOf } from "./failing.ts";
import { genericFlags } from "./generic-flags.ts";
import { Program } from "./program.ts";
import { countRoundTrips } from "./round-trips.ts";
import { machineFolders } from "./store-contents.ts";

const unavailable = await labUnavailableReason();
const names = ["web-1", "web-2", "web-3", "web-4"];

describe("many machines", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  let hosts: readonly LabHost[];
  let program: Program;
  before(async () => {
    lab = await openLab();
    const start = (): Promise<LabHost> => lab.start("bookworm-engine");
    hosts = [...(await Promise.all([start(), start()])), ...(await Promise.all([start(), start()]))];
    program = await Program.open();
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await lab.close();
  });

  function createArguments(...flags: string[]): string[] {
    return ["create", "--driver", "generic", ...genericFlags(...hosts), ...flags];
  }

  async function states(): Promise<string[]> {
    const rows = (await program.ok(["ls", "-f", "{{.Name}} {{.State}} {{.URL}}"])).trimEnd();
    return rows === "" ? [] : rows.split("\n");
  }

  const running = (index: number): string => `${names[index]} Running tcp://${hosts[index]?.address}:2376`;

  test("a bad one among them does not stop the others, and leaves nothing", async () => {
    const context = [0, 1, 2, 3].flatMap((index) => ["--generic-ssh-port", index === 2 ? "23" : "22"]);
    const args = createArguments().filter((word) => !word.startsWith("--generic-ssh-port"));
    const { stdout } = await assertFails(
      program,
      [...args, ...context, ...names],
      {
        // Of a host that is there already the refusal is believed, before the whole time for SSH is over.
        sentence: /^\(web-3\) Nothing listens for SSH at [\d.]+:23: the connection was refused$/u,
        hint: /^Check the port, and that sshd is running on the machine\.$/u,
      },
      { env: { MACHINE_TIMEOUT_SSH: "12s" } },
    );
    assert.deepEqual(await states(), [running(0), running(1), running(3)]);
    assert.deepEqual((await machineFolders(program.store)).toSorted(), ["web-1", "web-2", "web-4"]);
    for (const line of stdout.trimEnd().split("\n")) {
      assert.match(line, /^\((?:web-[1-4])\) \S|^Creating (?:CA|client certificate): |^To see how to connect .* env web-[124]$/u);
    }
    await program.ok(["rm", "-y", "web-1", "web-2", "web-4"]);
  });

  test("web-{1..4} is four machines of one authority, each with its own address and certificate", async () => {
    await program.ok([...createArguments(), "web-{1..4}"]);
    assert.deepEqual(await states(), [0, 1, 2, 3].map(running));
    const seen = new Set<string>();
    for (const name of names)
      seen.add(await program.ok(["inspect", "-f", "{{.Driver.IPAddress}} {{.HostOptions.AuthOptions.CaCertPath}}", name]));
    assert.equal(seen.size, 4);
  });

  test("ip and provision take them all and answer in the order of the names", async () => {
    const reversed = names.toReversed();
    const addresses = hosts.map(({ address }) => address).toReversed();
    assert.equal(await program.ok(["ip", ...reversed]), addresses.map((address) => `${address}\n`).join(""));
    assert.equal(await program.ok(["ip", "web-{4..1}"]), addresses.map((address) => `${address}\n`).join(""));
    await assertFails(program, ["url", "web-{4..1}"], {
      status: 2,
      sentence: /^Error: Expected one machine name as an argument$/u,
      hint: /^$/u,
    });
    const provisioned = await program.ok(["provision", ...names]);
    for (const name of names) assert.match(provisioned, new RegExp(`^\\(${name}\\) Docker is up and running!$`, "mu"));
  });

  test("a missing one is named, the others are answered and worked on", async () => {
    const { sentence, stdout, status } = await failureOf(program, ["ip", "web-1", "nowhere", "web-2"]);
    assert.deepEqual([stdout, status], [`${hosts[0]?.address}\n${hosts[1]?.address}\n`, 1]);
    assert.match(sentence, /^Docker machine "nowhere" does not exist\./u);
    assert.match((await failureOf(program, ["provision", "nowhere", "web-4"])).stdout, /^\(web-4\) Docker is up and running!$/mu);
  });

  test("too few addresses are refused before anything is made", async () => {
    const args = ["create", "--driver", "generic", ...genericFlags(...hosts.slice(0, 1)), "a", "b"];
    await assertFails(program, args, {
      status: 2,
      sentence: /^Invalid command line\. Found extra arguments \[b\]$/u,
      hint: /^To create 2 machines at once, give --generic-ip-address 2 times, once for each name\.$/u,
    });
  });

  test("rm removes them all", async () => {
    const removed = await program.ok(["rm", "-y", ...names]);
    for (const name of names) assert.match(removed, new RegExp(`Successfully removed ${name}$`, "mu"));
    assert.deepEqual(await machineFolders(program.store), []);
  });

  test("one create on a prepared host is eight round trips at most", async () => {
    const [host] = hosts;
    assert.ok(host);
    const count = await countRoundTrips(program.folder, host);
    assert.ok(count > 0 && count <= 8, String(count));
  });
});
