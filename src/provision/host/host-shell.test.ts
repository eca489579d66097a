import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { provisionRequest } from "../../../test/support/host-facts.ts";
import { LocalExecutor } from "../../../test/support/shells.ts";
import { StandIns } from "../../../test/support/stand-ins.ts";
import type { ProgressEvent } from "../../log/event.ts";
import { systemClock } from "../../system/clock.ts";
import { HostShell } from "./host-shell.ts";
import { answering, bootstrap, framedScript, scriptPrelude } from "../shell/script-protocol.ts";
import { probeHost } from "./probe-host.ts";
import { defaultBounds, type ProvisionContext } from "../provision-context.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { failureOf } from "../../../test/support/failure.ts";

const run = { timeoutMs: 20_000 };
const password = "CANARY-password";

/** sudo as a user meets it: flags, a password by -S, three tries, then the rest of the line as root. */
const asksForPassword = `
while [ $# -gt 0 ]; do
  case $1 in -k) ;; -n) never=yes ;; -S) reads=yes ;; -p) shift ;; *) break ;; esac
  shift
done
[ "$never" = yes ] && { echo 'sudo: a password is required' >&2; exit 1; }
for try in 1 2 3; do
  IFS= read -r line || break
  [ "$line" = '${password}' ] && exec "$@"
  echo 'Sorry, try again.' >&2
done
echo 'sudo: 3 incorrect password attempts' >&2
exit 1`;
/** `id` of someone who is not root, so that the probe looks for a way. */
const notRoot = "case $1 in -u) echo 1000 ;; *) echo pat ;; esac";

function setUp(standIns: StandIns): { shell: HostShell; context: ProvisionContext; ssh: LocalExecutor; events: ProgressEvent[] } {
  const events: ProgressEvent[] = [];
  const ssh = new LocalExecutor({ PATH: `${standIns.folder}:${process.env["PATH"]}` });
  const context = {
    ssh,
    clock: systemClock,
    report: (event: ProgressEvent) => events.push(event),
    signal: new AbortController().signal,
  };
  return { shell: new HostShell("web", context), context, ssh, events };
}

const script = (...pieces: readonly ShellText[]): ShellText => joinLines(scriptPrelude, answering, ...pieces);

test("a script that did not come whole, because its sender was killed, is not begun", () => {
  const text = framedScript(
    script(
      sh`echo half`,
      sh`cat << END
a file
END`,
    ),
  );
  const outputOf = (input: string): string => spawnSync("sh", ["-c", bootstrap], { input, encoding: "utf8" }).stdout;
  assert.match(outputOf(text), /^half\na file\n/mu);
  for (let length = 0; length < text.length - 1; length += 31) assert.equal(outputOf(text.slice(0, length)), "", `${length}`);
});

test("a script's facts, changes, notes and output are told apart", async () => {
  using standIns = new StandIns();
  const { shell, events } = setUp(standIns);
  shell.become({ kind: "root" });
  const phases: string[] = [];
  const answer = await shell.runAsRoot(
    script(
      sh`printf '@fact\tcolour\tred\n'; echo noise; echo moan >&2; changed /etc/x; phase copying-certificates; note warn careful; waiting patience; end`,
    ),
    { ...run, onPhase: (phase) => phases.push(phase) },
  );
  assert.deepEqual([answer.facts.last("colour"), answer.changed, phases], ["red", ["/etc/x"], ["copying-certificates"]]);
  assert.deepEqual(answer.output.toSorted(), ["moan", "noise"]);
  assert.deepEqual(
    events
      .filter((event) => event.type === "log")
      .map((event) => `${event.level} ${event.text}`)
      .toSorted(),
    ["debug moan", "debug noise", "info patience", "warn careful"],
  );
});

test("arguments arrive as they are", async () => {
  using standIns = new StandIns();
  const { shell } = setUp(standIns);
  shell.become({ kind: "root" });
  const answer = await shell.runAsRoot(script(sh`printf '@fact\targs\t%s|%s\n' "$1" "$2"; end`), run, "it's", "$HOME `x`");
  assert.equal(answer.facts.last("args"), "it's|$HOME `x`");
});

for (const loginShell of ["fish", "zsh", "tcsh", "csh", "mksh"]) {
  const missing = spawnSync(loginShell, ["-c", "true"]).error !== undefined && `${loginShell} is not installed`;
  test(`a login shell of another kind, ${loginShell}, makes no difference`, { skip: missing }, async () => {
    using standIns = new StandIns();
    const { context } = setUp(standIns);
    const shell = new HostShell("web", { ...context, ssh: new LocalExecutor({}, loginShell) });
    shell.become({ kind: "root" });
    const answer = await shell.runAsRoot(script(sh`printf '@fact\targ\t%s\n' "$1"; end`), run, "it's");
    assert.equal(answer.facts.last("arg"), "it's");
  });
}

test("a script's own verdict becomes the error, its hint and its reason with it", async () => {
  using standIns = new StandIns();
  const { shell } = setUp(standIns);
  shell.become({ kind: "root" });
  const error = await failureOf(
    shell.runAsRoot(
      script(
        sh`echo 'bind: address already in use' | why; hint 'Free the port.'; fail engine-start 'The engine on web does not start'`,
      ),
      run,
    ),
  );
  assert.deepEqual(
    [error.code, error.message, error.hint],
    ["engine-start", "The engine on web does not start:\nbind: address already in use", "Free the port."],
  );
});

test("a script that ends without a verdict is an error with its last lines", async () => {
  using standIns = new StandIns();
  const { shell } = setUp(standIns);
  shell.become({ kind: "root" });
  assert.match(
    (await failureOf(shell.runAsRoot(script(sh`echo 'it broke'; exit 7`), run))).message,
    /ended with status 7:\nit broke/u,
  );
  assert.equal((await failureOf(shell.runAsRoot(script(sh`exit 0`), run))).code, "remote-command");
});

test("a script that says too much is ended, and little of it is shown", async () => {
  using standIns = new StandIns();
  const { shell, events } = setUp(standIns);
  shell.become({ kind: "root" });
  const endless = failureOf(shell.runAsRoot(script(sh`yes ''`), run));
  assert.match((await endless).message, /^A script on web said more than 100000 lines and was ended$/u);
  const before = events.length;
  await shell.runAsRoot(script(sh`yes "$(printf '@note\twarn\tbeware')" | head -n 5000; end`), run);
  assert.equal(events.length - before, 1_000);
  await shell.runAsRoot(script(sh`head -c 3000000 /dev/zero | tr '\0' x; end`), run);
  assert.ok(events.every((event) => event.type !== "log" || event.text.length <= 4_096));
});

test("a password travels on standard input only", async () => {
  using standIns = new StandIns().add("sudo", asksForPassword);
  const { shell, ssh, events } = setUp(standIns);
  shell.become({ kind: "sudo-password" }, password);
  const answer = await shell.runAsRoot(
    script(sh`printf '@fact\tscript\t%s\n' "$s" | grep -c CANARY; env; cat /proc/$$/cmdline; end`),
    run,
  );
  assert.ok(answer.ended);
  assert.doesNotMatch(
    [...ssh.commands, ...standIns.calls, ...answer.output, JSON.stringify(events)].join("\n"),
    /CANARY-password/u,
  );
});

test("a password that sudo did not ask for is not run as a command", async () => {
  using standIns = new StandIns().add("sudo", `while [ "$1" != sh ]; do shift; done; exec "$@"`);
  const { shell } = setUp(standIns);
  shell.become({ kind: "sudo-password" }, "touch /tmp/never; CANARY");
  const answer = await shell.runAsRoot(script(sh`end`), run);
  assert.deepEqual(answer.output, []);
});

test("a wrong password is said to be wrong, once and without it", async () => {
  using standIns = new StandIns().add("sudo", asksForPassword);
  const { shell } = setUp(standIns);
  shell.become({ kind: "sudo-password" }, "CANARY-wrong");
  const error = await failureOf(shell.runAsRoot(script(sh`end`), run));
  assert.equal(error.code, "sudo-required");
  assert.match(error.message, /sudo on web did not accept the password/u);
  assert.doesNotMatch(`${error.message}${error.hint}${String(error.cause)}`, /CANARY/u);
});

test("with sudo and no password, one round trip looks as root", async () => {
  using standIns = new StandIns()
    .add("id", `[ "$BECAME" = root ] && { echo 0; exit; }; ${notRoot}`)
    .add("sudo", `while [ "$1" != sh ]; do shift; done; BECAME=root exec env BECAME=root "$@"`);
  const { shell, context, ssh } = setUp(standIns);
  const facts = await probeHost(shell, provisionRequest(), context, defaultBounds);
  assert.deepEqual([facts.privilege.kind, facts.userName, facts.seenAsRoot, ssh.roundTrips], ["sudo", "pat", true, 1]);
});

test("a sudo that asks is given the password, asked for once", async () => {
  using standIns = new StandIns().add("id", notRoot).add("sudo", asksForPassword);
  const { shell, context, ssh } = setUp(standIns);
  let asked = 0;
  const request = provisionRequest({ sudoPassword: async () => (asked++, password) });
  const facts = await probeHost(shell, request, context, defaultBounds);
  await probeHost(shell, request, context, defaultBounds);
  assert.deepEqual([facts.privilege.kind, asked, ssh.roundTrips], ["sudo-password", 1, 4]);
});

const wantsTerminal = `(: < /dev/tty) 2> /dev/null || { echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1; }
`;

test("groups are those of the user who logs in, whatever root's are", async () => {
  const inDocker = `[ "$1" = -nG ] && { echo pat docker; exit; }; ${notRoot}`;
  using standIns = new StandIns().add("id", `[ "$BECAME" = root ] && { echo 0; exit; }; ${inDocker}`);
  standIns.add("sudo", `BECAME=root; export BECAME\n${asksForPassword}`);
  const { shell, context } = setUp(standIns);
  const facts = await probeHost(shell, provisionRequest({ sudoPassword: async () => password }), context, defaultBounds);
  assert.deepEqual([facts.privilege.kind, facts.userName, facts.inDockerGroup], ["sudo-password", "pat", true]);
});

test("a sudo that wants a terminal gets one, and streams stay as they are", async () => {
  using standIns = new StandIns()
    .add("id", `[ "$BECAME" = root ] && { echo 0; exit; }; ${notRoot}`)
    .add("sudo", `${wantsTerminal}while [ "$1" != sh ]; do shift; done; BECAME=root exec env BECAME=root "$@"`);
  const { shell, context, ssh } = setUp(standIns);
  const facts = await probeHost(shell, provisionRequest(), context, defaultBounds);
  assert.deepEqual([facts.privilege, facts.seenAsRoot, ssh.roundTrips], [{ kind: "sudo", terminal: true }, true, 1]);
  const long = "x".repeat(100_000);
  const answer = await shell.runAsRoot(script(sh`printf '@fact\tlong\t%s\n' ${long}; printf 'a\tb\n'; end`), run, "it's");
  assert.equal(answer.facts.last("long"), long);
  assert.deepEqual(answer.output, ["a\tb"]);
  assert.match((await failureOf(shell.runAsRoot(script(sh`echo broke; exit 7`), run))).message, /ended with status 7:\nbroke/u);
});

test("a sudo that wants a terminal and a password gets both", async () => {
  using standIns = new StandIns().add("id", notRoot).add("sudo", `${wantsTerminal}${asksForPassword}`);
  const { shell, context, ssh } = setUp(standIns);
  const facts = await probeHost(shell, provisionRequest({ sudoPassword: async () => password }), context, defaultBounds);
  assert.deepEqual(facts.privilege, { kind: "sudo-password", terminal: true });
  assert.doesNotMatch([...ssh.commands, ...standIns.calls].join("\n"), /CANARY/u);
});

test("a sudo that lets the shell start nothing is told as such", async () => {
  using standIns = new StandIns()
    .add("id", notRoot)
    .add("sudo", `while [ "$1" != sh ]; do shift; done; [ "$3" = : ] && exit; shift 2; printf '@begin\t\t\n@end\t\t\n'`);
  const { shell, context } = setUp(standIns);
  const error = await failureOf(probeHost(shell, provisionRequest(), context, defaultBounds));
  assert.equal(error.code, "sudo-required");
  assert.match(error.message, /^sudo on web runs a shell, but lets it start no programs \(noexec\)$/u);
});

test("a read-only file system is told with the file that could not be written", async () => {
  using standIns = new StandIns();
  const { shell } = setUp(standIns);
  shell.become({ kind: "root" });
  for (const words of [
    "sh: 101: eval: cannot create /etc/docker/x: Read-only file system",
    "mkdir: cannot create directory '/etc/docker': Read-only file system",
    "mv: cannot move 'a' to '/etc/docker': Read-only file system",
  ]) {
    const error = await failureOf(shell.runAsRoot(script(sh`printf '%s\n' ${words} >&2; exit 1`), run));
    assert.match(error.message, /^\/etc\/docker\S* on web cannot be written: its file system is read-only$/u);
  }
});

const refusals: readonly (readonly [string, StandIns, RegExp])[] = [
  ["no password can be had", new StandIns().add("sudo", asksForPassword), /asks pat for a password, and none was given/u],
  [
    "sudo wants a terminal",
    new StandIns().add("sudo", "echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1"),
    /cannot become it: sudo: sorry, you must have a tty/u,
  ],
  [
    "sudo does not know the user",
    new StandIns().add("sudo", "echo 'pat is not in the sudoers file.' >&2; exit 1"),
    /pat is not in the sudoers file/u,
  ],
];
for (const [name, standIns, message] of refusals) {
  test(`without root's rights nothing goes on: ${name}`, async () => {
    using programs = standIns.add("id", notRoot);
    const { shell, context } = setUp(programs);
    const error = await failureOf(probeHost(shell, provisionRequest(), context, defaultBounds));
    assert.equal(error.code, "sudo-required");
    assert.match(error.message, message);
    assert.ok(error.hint !== undefined);
  });
}
