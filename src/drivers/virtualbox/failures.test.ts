import assert from "node:assert/strict";
import { test } from "node:test";
import { failureError, type ProviderError } from "../../driver-kit/provider-error.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { codeIn, errorIn, explained, failuresOn, startFailure } from "./failures.ts";

/** As the driver would throw it. @param stderr what VBoxManage printed */
function failureOf(stderr: string, facts: Readonly<Record<string, string>> = {}): ProviderError {
  const message = stderr
    .split("\n")
    .flatMap((line) => errorIn(line) ?? [])
    .join(" ");
  return failureError("VBoxManage", { kind: "invalid", code: codeIn(stderr) ?? "", message }, failuresOn("linux"), {
    machine: "web",
    ...facts,
  });
}

const said: readonly (readonly [string, string, RegExp])[] = [
  [
    "VBoxManage: error: Failed to create the VirtualBox object!\nVBoxManage: error: Code NS_ERROR_FAILURE (0x80004005) - Operation failed (extended info not available)\nVBoxManage: error: Most likely, the VirtualBox COM server is not running or failed to start.",
    "provider-busy",
    /service did not start/u,
  ],
  [
    "VBoxManage: error: VBoxNetAdpCtl: Error while adding new interface: failed to open /dev/vboxnetctl: No such file or directory",
    "provider-unsupported",
    /kernel module is not loaded/u,
  ],
  [
    "VBoxManage: error: The machine 'web' is already locked for a session (or being unlocked)\nVBoxManage: error: Details: code VBOX_E_INVALID_OBJECT_STATE (0x80bb0007)",
    "provider-busy",
    /in use by another program/u,
  ],
  [
    "VBoxManage: error: The object functionality is limited\nVBoxManage: error: Details: code E_ACCESSDENIED (0x80070005)",
    "provider-permission",
    /cannot read the settings/u,
  ],
  [
    "VBoxManage: error: Could not create a directory '/srv/web' to save the settings file (VERR_ACCESS_DENIED)",
    "provider-permission",
    /may not read or write a file/u,
  ],
  [
    "VBoxManage: error: Code E_ACCESSDENIED (0x80070005) - Access denied (extended info not available)",
    "provider-permission",
    /does not allow the network 192\.168\.99\.1\/24 for a host-only interface/u,
  ],
  [
    "VBoxManage: error: Cannot run the machine because its platform architecture ARM is not supported on x86\nVBoxManage: error: Details: code VBOX_E_PLATFORM_ARCH_NOT_SUPPORTED (0x80bb0012)",
    "provider-unsupported",
    /that architecture/u,
  ],
];

test("refusals are explained by their code or their words", () => {
  for (const [stderr, code, sentence] of said) {
    const error = failureOf(stderr, { cidr: "192.168.99.1/24", range: "192.168.99.0/24" });
    assert.equal(error.code, code, stderr);
    assert.match(error.message, sentence);
    assert.ok(error.hint !== undefined && !error.hint.includes("{"), `${stderr}: a way out`);
  }
});

test("a full disk is told as one, without the places in VirtualBox's source", () => {
  const stderr =
    "VBoxManage: error: VDI: writing block pointers failed for '/m/disk.vdi'\n" +
    "VBoxManage: error: Error code VERR_DISK_FULL at /build/VDI.cpp(690) in function int vdiImageCreateFile(PVDIIMAGEDESC)\n";
  const error = explained(failureOf(stderr));
  assert.ok(isMachineError(error, "disk-full"));
  assert.match(error.message, /VERR_DISK_FULL$/u);
});

test("a failed start that is known for another reason stays that", () => {
  const known = failureOf(said[5]?.[0] ?? "");
  assert.equal(startFailure(known, "VERR_NO_MEMORY", "linux"), known);
});
