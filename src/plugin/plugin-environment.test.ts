import assert from "node:assert/strict";
import { test } from "node:test";
import { isPluginEnvironment, nameOfProgram, servedDriverName } from "./plugin-environment.ts";

const windows = { os: "windows", env: { PATHEXT: ".EXE;.CMD" } } as const;
const linux = (env: Record<string, string> = {}) => ({ os: "linux", env }) as const;

test("a program's name tells its driver, on Windows without its ending", () => {
  assert.equal(nameOfProgram("docker-machine-driver-foo-bar", linux()), "foo-bar");
  assert.equal(nameOfProgram("docker-machine-driver-foo.exe", linux()), "foo.exe");
  assert.equal(nameOfProgram("Docker-Machine-Driver-Foo.exe", windows), "Foo");
  assert.equal(nameOfProgram("docker-machine-driver-foo.cmd", windows), "foo");
  assert.equal(nameOfProgram("docker-machine-driver-foo", windows), undefined);
  assert.equal(nameOfProgram("docker-machine-driver-", linux()), undefined);
  assert.equal(nameOfProgram("docker-machine", linux()), undefined);
});

test("what is served is told by the program's name, then by the tool", () => {
  const started = (name: string) => linux({ MACHINE_PLUGIN_TOKEN: "42", MACHINE_PLUGIN_DRIVER_NAME: name });
  assert.equal(servedDriverName("/opt/docker-machine-driver-generic", [], linux()), "generic");
  assert.equal(servedDriverName("C:\\bin\\docker-machine-driver-generic.exe", [], windows), "generic");
  assert.equal(servedDriverName("docker-machine", [], started("generic")), "generic");
  assert.equal(servedDriverName("docker-machine", [], started("docker-machine-driver-generic")), "generic");
  assert.equal(servedDriverName("docker-machine-driver-none", [], started("generic")), "none");
  assert.equal(servedDriverName("docker-machine", [], started("")), undefined);
  assert.equal(
    servedDriverName("docker-machine", ["driver", "serve", "none"], started("generic")),
    undefined,
    "words of whoever wrote them come first",
  );
  assert.equal(servedDriverName("docker-machine", [], linux({ MACHINE_PLUGIN_DRIVER_NAME: "generic" })), undefined);
});

test("the token has one value", () => {
  assert.equal(isPluginEnvironment(linux({ MACHINE_PLUGIN_TOKEN: "42" })), true);
  assert.equal(isPluginEnvironment(linux({ MACHINE_PLUGIN_TOKEN: "1" })), false);
  assert.equal(isPluginEnvironment(linux()), false);
});
