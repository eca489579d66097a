/**
 * Machines that end by themselves, on a real host with systemd and an engine: the deadline fires, outlives a reboot, is
 * moved and taken back; what uses the machine is seen; nothing of it disturbs the engine or stays behind.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { waitUntil } from "../lab/wait.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";

const unavailable = await labUnavailableReason();

/** Half of it is the warning, a quarter the time between two looks. */
const env = { MACHINE_TIMEOUT_TTL_GRACE: "8s" };
const script = "/etc/docker-machine/ttl.sh";

const iso = (afterMs: number): string => new Date(Date.now() + afterMs).toISOString().replace(/\.\d+Z$/u, "Z");

describe("time to live", { skip: unavailable ?? false }, () => {
  test("a deadline fires, outlives boots, is moved and taken back", async (t) => {
    await using lab = await openLab();
    await using host = await lab.start("bookworm-engine");
    await using program = await Program.open();
    const ttl = async (...words: string[]): Promise<string> => await program.ok(["ttl", "web", ...words], { env });
    const create = createArguments(host, "web", "--ttl", "1h");

    await t.test("somebody's own box is not ended, unless it is given away; the plan tells what for", async () => {
      const refused = await program.run(create, { env });
      assert.equal(refused.status, 2, refused.stderr);
      assert.match(refused.stderr, /--ttl-power-off/u);
      const plan = await program.ok([...create, "--ttl-power-off", "--dry-run"], { env });
      assert.match(plan, /create +\/etc\/systemd\/system\/docker-machine-ttl\.timer/u);
      assert.match(plan, /time +systemd powers it off at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/u);
      assert.match(await program.ok([...create, "--ttl-power-off"], { env }), /"web" is powered off at .* UTC/u);
      assert.match(await program.ok(["ls", "--output", "json"], { env }), /"expires": ?"\d{4}-/u);
      assert.match(await ttl(), /^web: powered off at .* UTC, in (?:59 min|1 h)/u);
    });

    await t.test("it is moved without a word to the engine", async () => {
      const engine = "systemctl show docker.service -p MainPID -p ActiveEnterTimestampMonotonic";
      const before = await host.sh(engine);
      assert.match(await ttl("2h"), /in (?:2 h|1 h 59 min)/u);
      assert.equal(await host.sh(engine), before);
      const next = await host.sh("systemctl show docker-machine-ttl.timer -p TimersCalendar --value");
      const { Expires } = JSON.parse(await program.ok(["inspect", "web", "--format", "{{json .Extra}}"])) as { Expires: string };
      assert.match(next, new RegExp(Expires.slice(0, 19).replace("T", " "), "u"));
    });

    await t.test("a real container is seen to use it, and since when nothing does", async () => {
      await host.sh("docker import /usr/local/share/lab/tiny.tar tiny && docker run -d --name worker tiny sleep 1000");
      assert.match(await ttl("--idle", "2h"), /powered off after 2 h without use/u);
      await untilBusy(host, "the container worker");
      assert.match(await ttl(), /in use by (?:the container worker|a connection to port 22)/u);
      await host.sh("docker rm -f worker; docker run -d --label docker-machine.idle=ignore tiny sleep 1000");
      await untilBusy(host, "");
      assert.match(await ttl(), /unused since .* UTC, for \d+ s|a connection to port 22/u);
    });

    await t.test("at the deadline it is off, and not before", async () => {
      const deadline = Date.now() + 9_000;
      await ttl(iso(9_000), "--idle", "off");
      await untilOff(host);
      assert.ok(Date.now() >= deadline, "too early");
    });

    await t.test("a boot behind the deadline has its grace, in which there is time for another deadline", async () => {
      await host.powerOn();
      await waitUntil(
        "a warning",
        20_000,
        async () => (await host.exec("test -e /run/docker-machine-ttl/off-at")).status === 0 || undefined,
      );
      const [told] = JSON.parse(await program.ok(["ttl", "--output", "json", "web"], { env })) as { expires: string }[];
      assert.ok(Date.parse(told?.expires ?? "") < Date.now());
      await ttl("1h");
      await waitUntil(
        "the end of the warning",
        10_000,
        async () => (await host.exec("test ! -e /run/docker-machine-ttl/off-at")).status === 0,
      );
      assert.ok(await host.isOn());
    });

    await t.test("without one it is powered off again, and told at its next start of what it missed", async () => {
      await ttl(iso(3_000));
      await untilOff(host);
      await ttl("1h").then(
        (said) => assert.match(said, /told at its next start/u),
        (error: unknown) => assert.match(String(error), /ssh|reach/iu),
      );
      await host.powerOn();
      await waitUntil("its second end", 30_000, async () => !(await host.isOn()) || undefined);
    });

    await t.test("off takes it back, and rm --restore leaves nothing of it", async () => {
      await host.powerOn();
      await waitUntil("SSH", 10_000, async () => (await program.run(["ssh", "web", "true"])).status === 0 || undefined);
      assert.match(await ttl("off"), /goes on until it is removed/u);
      const nothing = `test ! -e ${script} && test ! -e /etc/systemd/system/docker-machine-ttl.timer && ! systemctl is-enabled docker-machine-ttl.timer`;
      await host.sh(nothing);
      await ttl("1h", "--ttl-power-off");
      await host.sh(`test -e ${script} && systemctl is-active docker-machine-ttl.timer`);
      await program.ok(["rm", "-y", "--restore", "web"]);
      await host.sh(`${nothing} && test ! -d /etc/docker-machine && test ! -e /var/lib/docker-machine`);
    });
  });
});

async function untilBusy(host: LabHost, what: string): Promise<void> {
  await waitUntil(`the use "${what}"`, 15_000, async () => {
    const seen = (await host.exec("cat /run/docker-machine-ttl/busy")).stdout.trim();
    return seen === what || undefined;
  });
}

async function untilOff(host: LabHost): Promise<void> {
  await waitUntil("the host to be off", 40_000, async () => !(await host.isOn()) || undefined);
}
