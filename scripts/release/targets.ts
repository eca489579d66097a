/** What executables are made for. Their runtime is Bun's package for the system, of the version that the toolchain has. */

export interface Target {
  /** What `bun build --target` calls it. */
  readonly bun: string;
  /** npm's package with the runtime. */
  readonly runtime: string;
  /** Debian's word for the architecture, where there is a package of this executable. */
  readonly debian?: string;
  readonly suffix?: string;
}

/** By the last part of the executable's name; install.sh chooses by the same words. */
export const targets: Readonly<Record<string, Target>> = {
  "linux-x64": { bun: "bun-linux-x64", runtime: "@oven/bun-linux-x64", debian: "amd64" },
  "linux-arm64": { bun: "bun-linux-arm64", runtime: "@oven/bun-linux-aarch64", debian: "arm64" },
  "linux-x64-musl": { bun: "bun-linux-x64-musl", runtime: "@oven/bun-linux-x64-musl" },
  "linux-arm64-musl": { bun: "bun-linux-arm64-musl", runtime: "@oven/bun-linux-aarch64-musl" },
  "darwin-x64": { bun: "bun-darwin-x64", runtime: "@oven/bun-darwin-x64" },
  "darwin-arm64": { bun: "bun-darwin-arm64", runtime: "@oven/bun-darwin-aarch64" },
  "windows-x64": { bun: "bun-windows-x64", runtime: "@oven/bun-windows-x64", suffix: ".exe" },
};
