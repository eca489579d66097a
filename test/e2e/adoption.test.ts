/**
 * Adopting a host that works for someone: what the printed plan announces is what changes, no container is stopped, and
 * `rm --restore` takes the host back to the start.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { changedFiles, takeSnapshot, withoutFiles, type HostSnapshot } from "../provision/host-snapshot.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";
import { machineFolders } from "./store-contents.ts";
import { startTicker } from "./ticker.ts";

const unavailable = await labUnavailableReason();

/** Of somebody: an override of the engine's unit, settings, and containers in all states. */
const inhabit = `
  mkdir -p /etc/systemd/system/docker.service.d
  printf '[Service]\\nLimitNOFILE=65536\\n' > /etc/systemd/system/docker.service.d/limits.conf
  printf '{\\n  "labels": ["owner=them"]\\n}\\n' > /etc/docker/daemon.json
  systemctl daemon-reload
  systemctl restart docker
  timeout 30 sh -c 'until docker exec counter cat /count > /dev/null 2>&1; do sleep 0.1; done'
  docker create --name never-started tiny true
  docker run --name ended tiny true`;

test("adoption of a busy host", { skip: unavailable ?? false }, async (t) => {
  await using lab = await openLab();
  await using host = await lab.start("busy");
  await using program = await Program.open();
  await host.sh(inhabit);
  const ticker = await startTicker(host);
  const start = await takeSnapshot(host);
  const create = createArguments(host, "web", "--engine-label", "ours=1");
  let announced: Announcement;

  await t.test("a dry run prints the plan, as text and as JSON, and changes nothing here or there", async () => {
    const text = planIn(await program.ok([...create, "--dry-run"]));
    const events = (await program.ok(["--output", "json", ...create, "--dry-run"])).trimEnd().split("\n");
    const logged = events.map((line) => JSON.parse(line) as { readonly text?: string });
    assert.equal(planIn(logged.at(-1)?.text ?? ""), text);
    assert.deepEqual(differences(start, await takeSnapshot(host)), { files: [], packages: [], units: [], containers: [] });
    assert.deepEqual(await machineFolders(program.store), []);
    assert.match(text, / restart {3}docker\.service; 2 containers run: they keep running: /u);
    assert.match(text, / record {4}in \/var\/lib\/docker-machine /u);
    announced = announcementIn(text);
    assert.deepEqual(announced.packages, []);
  });

  await t.test("create changes what was announced, and stops nothing", async () => {
    await program.ok(create);
    const after = await takeSnapshot(host);
    assert.deepEqual(differences(start, after), { ...announced, units: [], containers: [] });
    await ticker.assertUndisturbed("create");
    assert.match(await program.ok(["ls"]), /^web +- +generic +Running /mu);
    assert.deepEqual(await engineOf(host), { labels: ["ours=1", "owner=them", "provider=generic"], listens: true });
  });

  await t.test("rm --restore returns to the start, and stops nothing", async () => {
    await program.ok(["rm", "-y", "--restore", "web"]);
    const after = await takeSnapshot(host);
    assert.deepEqual(differences(start, after), { files: [], packages: [], units: [], containers: [] });
    assert.deepEqual(withoutFiles(after), withoutFiles(start));
    await ticker.assertUndisturbed("rm --restore");
    assert.deepEqual(await engineOf(host), { labels: ["owner=them"], listens: false });
    assert.deepEqual(await machineFolders(program.store), []);
  });

  await t.test("an engine that stands still is announced to be enabled, and stands still again afterwards", async () => {
    await host.sh("docker stop --time 1 ticker counter; systemctl disable --now --quiet docker.service docker.socket");
    const still = await takeSnapshot(host);
    const plan = planIn(await program.ok([...create, "--dry-run"]));
    assert.match(plan, / enable {4}docker\.service, so that it starts with the machine$/mu);
    await program.ok(create);
    const { files, packages, units } = differences(still, await takeSnapshot(host));
    assert.deepEqual({ files, packages }, announcementIn(plan));
    assert.deepEqual(units, ["docker.service"]);
    await program.ok(["rm", "-y", "--restore", "web"]);
    assert.deepEqual(differences(still, await takeSnapshot(host)), { files: [], packages: [], units: [], containers: [] });
  });
});

/** What the engine itself knows of its settings. */
async function engineOf(host: LabHost): Promise<{ labels: string[]; listens: boolean }> {
  const [labels = "", ...sockets] = (await host.sh("docker info -f '{{json .Labels}}'; ss -ltnH 'sport = :2376'")).split("\n");
  return { labels: (JSON.parse(labels) as string[]).toSorted(), listens: sockets.length > 0 };
}

interface Announcement {
  readonly files: readonly string[];
  readonly packages: readonly string[];
}

/** The plan among the lines of progress, with its last newline cut off. */
function planIn(printed: string): string {
  return printed.slice(printed.indexOf("Plan for web ")).trimEnd();
}

/** What the words of a plan say will change. */
function announcementIn(plan: string): Announcement {
  const after = (verbs: string): string[] =>
    [...plan.matchAll(new RegExp(`^  (?:${verbs}) +(\\S+)`, "gmu"))].map((match) => match[1] ?? "");
  return { files: after("create|replace|remove").toSorted(), packages: after("engine") };
}

/** In the folder that the plan names for its record, files come and go. */
const recordFolder = "/var/lib/docker-machine/";

function differences(
  before: HostSnapshot,
  after: HostSnapshot,
): Record<"files" | "packages" | "units" | "containers", readonly string[]> {
  const other = (kind: "packages" | "units" | "containers"): readonly string[] => [
    ...new Set([
      ...before[kind].filter((line) => !after[kind].includes(line)),
      ...after[kind].filter((line) => !before[kind].includes(line)),
    ]),
  ];
  return {
    files: changedFiles(before, after).filter((path) => !path.startsWith(recordFolder)),
    packages: other("packages"),
    units: other("units"),
    containers: other("containers"),
  };
}
