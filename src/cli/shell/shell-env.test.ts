import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { goldenCases } from "../../../test/golden/golden-cases.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { fakeComputer } from "../testing/fake-computer.ts";
import {
  connectionVariables,
  detectShell,
  noProxyVariables,
  renderShellEnv,
  unsetNoProxyVariables,
  unsetVariables,
} from "./shell-env.ts";

const connection = { machineName: "web", url: "tcp://192.0.2.7:2376", certPath: "/home/u/.docker/machine/machines/web" };

function linesFor(shell: string): string[] {
  const output = renderShellEnv(shell, connectionVariables(connection, fakeComputer()), ["docker-machine", "env", "web"]);
  return output.trimEnd().split("\n");
}

function assignment(shell: string, value: string): string {
  return renderShellEnv(shell, [{ name: "K", value }], ["docker-machine"]).split("\n")[0] ?? "";
}

describe("env", () => {
  for (const { args, stdout, code } of goldenCases().filter(({ args: [command, flag] }) => command === "env" && flag === "-u")) {
    if (code !== 0) continue;
    it(`prints what 0.16.2 prints for ${args.join(" ")}`, () => {
      const noProxy = args.includes("--no-proxy") ? unsetNoProxyVariables(fakeComputer(), true) : [];
      const shell = args.includes("--shell") ? (args.at(-1) ?? "") : "bash";
      assert.equal(renderShellEnv(shell, [...unsetVariables(), ...noProxy], ["docker-machine", ...args]), stdout);
    });
  }

  it("sets the variables as 0.16.2 does, in its order", () => {
    assert.deepEqual(linesFor("bash"), [
      'export DOCKER_TLS_VERIFY="1"',
      'export DOCKER_HOST="tcp://192.0.2.7:2376"',
      'export DOCKER_CERT_PATH="/home/u/.docker/machine/machines/web"',
      'export DOCKER_MACHINE_NAME="web"',
      "# Run this command to configure your shell: ",
      "# eval $(docker-machine env web)",
    ]);
    const firstLines = ["zsh", "ksh", "sh", "nonsense", "fish", "powershell", "cmd", "tcsh", "emacs"].map(
      (shell) => linesFor(shell)[0],
    );
    assert.deepEqual(firstLines, [
      'export DOCKER_TLS_VERIFY="1"',
      'export DOCKER_TLS_VERIFY="1"',
      'export DOCKER_TLS_VERIFY="1"',
      'export DOCKER_TLS_VERIFY="1"',
      'set -gx DOCKER_TLS_VERIFY "1";',
      '$Env:DOCKER_TLS_VERIFY = "1"',
      "SET DOCKER_TLS_VERIFY=1",
      'setenv DOCKER_TLS_VERIFY "1";',
      '(setenv "DOCKER_TLS_VERIFY" "1")',
    ]);
  });

  it("adds compose's variable on Windows", () => {
    const { name, value } = connectionVariables(connection, fakeComputer({ os: "windows" }))[4] ?? {};
    assert.deepEqual([name, value], ["COMPOSE_CONVERT_WINDOWS_PATHS", "true"]);
  });

  it("adds the address to each no-proxy variable in use, once", () => {
    const variables = (env: Record<string, string>, compat = false) =>
      noProxyVariables(fakeComputer({ env }), "192.0.2.7", compat);
    const variable = (env: Record<string, string>) => variables(env)[0] ?? assert.fail();
    const both = { NO_PROXY: "b", no_proxy: "a" };
    const [lower, upper] = [
      { name: "no_proxy", value: "a,192.0.2.7" },
      { name: "NO_PROXY", value: "b,192.0.2.7" },
    ];
    assert.deepEqual([variables(both), variables(both, true)], [[lower, upper], [lower]]);
    assert.deepEqual(unsetNoProxyVariables(fakeComputer({ env: both }), false), [{ name: "no_proxy" }, { name: "NO_PROXY" }]);
    assert.deepEqual(variable({}), { name: "NO_PROXY", value: "192.0.2.7" });
    assert.deepEqual(variable({ no_proxy: "", NO_PROXY: "a" }), { name: "NO_PROXY", value: "a,192.0.2.7" });
    assert.deepEqual(variable({ no_proxy: "a,192.0.2.7", NO_PROXY: "b" }), { name: "no_proxy", value: "a,192.0.2.7" });
    assert.deepEqual(variable({ no_proxy: "192.0.2.70" }).value, "192.0.2.70,192.0.2.7", "the beginning of another's");
    assert.deepEqual(variable({ no_proxy: "192.0.2.7, localhost" }).value, "192.0.2.7, localhost");
    assert.deepEqual(variable({ no_proxy: "localhost 192.0.2.7" }).value, "localhost 192.0.2.7");
  });

  it("keeps ordinary values as they are in every shell, Windows paths and spaces too", () => {
    for (const value of ["/Users/Jo Doe/.docker", String.raw`C:\Users\jo\.docker\machine`, "10.0.0.1,::1,localhost", ""]) {
      assert.equal(assignment("bash", value), `export K="${value}"`);
      assert.equal(assignment("fish", value), `set -gx K "${value}";`);
      assert.equal(assignment("powershell", value), `$Env:K = "${value}"`);
      assert.equal(assignment("cmd", value), `SET K=${value}`);
      assert.equal(assignment("tcsh", value), `setenv K "${value}";`);
    }
  });

  it("escapes what a shell would act on", () => {
    const value = 'a$b`c"d&e';
    assert.equal(assignment("bash", value), 'export K="a\\$b\\`c\\"d&e"');
    assert.equal(assignment("fish", value), 'set -gx K "a\\$b`c\\"d&e";');
    assert.equal(assignment("pwsh", value), '$Env:K = "a`$b``c`"d&e"');
    assert.equal(assignment("cmd", value), 'SET "K=a$b`c"d&e"');
    assert.equal(assignment("tcsh", `${value}!'`), String.raw`setenv K 'a$b${"`"}c"d&e\!'\''';`);
    assert.equal(assignment("emacs", String.raw`C:\x "y"`), String.raw`(setenv "K" "C:\\x \"y\"")`);
  });

  it("puts line breaks where a shell can hold them, and refuses where it cannot", () => {
    assert.equal(assignment("powershell", "a\r\nb"), '$Env:K = "a`r`nb"');
    assert.equal(assignment("fish", "a\\\nb"), String.raw`set -gx K "a\\"\n"b";`);
    for (const shell of ["cmd", "tcsh"]) {
      assert.throws(
        () => assignment(shell, "a\nb"),
        (error) => isMachineError(error, "usage") && error.message.includes("K has a line break"),
      );
    }
  });

  it("says the command as it was typed, quoted where it must be, on one line", () => {
    const usage = (shell: string, ...words: string[]) => renderShellEnv(shell, [], words).split("\n").slice(1);
    assert.deepEqual(usage("bash", "C:\\dm.exe", "env", "a b"), [`# eval $("C:\\dm.exe" env 'a b')`, ""]);
    assert.deepEqual(usage("cmd", "dm", "a\nb"), [`REM \t@FOR /f "tokens=*" %i IN ('dm "a b"') DO @%i`, ""]);
  });
});

describe("shell detection", () => {
  const windows = (env: Record<string, string>) => detectShell(fakeComputer({ os: "windows", homeDir: "C:\\Users\\jo", env }));

  it("takes the last part of SHELL", () => {
    assert.equal(detectShell(fakeComputer({ env: { SHELL: "/usr/bin/zsh" } })), "zsh");
  });

  it("without it means a POSIX shell, as cron and systemd start", () => {
    for (const env of [{}, { SHELL: "" }]) assert.equal(detectShell(fakeComputer({ env })), "sh");
  });

  it("on Windows tells PowerShell, cmd and Unix-like shells apart", () => {
    const system = "C:\\Program Files\\WindowsPowerShell\\Modules;C:\\WINDOWS\\system32\\WindowsPowerShell\\v1.0\\Modules";
    assert.equal(windows({ PSModulePath: system }), "cmd");
    assert.equal(windows({}), "cmd");
    assert.equal(windows({ PSModulePath: `C:\\Users\\jo\\Documents\\PowerShell\\Modules;${system}` }), "powershell");
    assert.equal(windows({ SHELL: "C:\\Program Files\\Git\\usr\\bin\\bash.exe" }), "bash");
    assert.equal(windows({ SHELL: "/usr/bin/bash", __fish_bin_dir: "/usr/bin" }), "fish");
  });
});
