/**
 * Everything the program may know about the computer it runs on. Taken once in a composition root and passed down, so
 * that "on Windows" or "without HOME" is one line in a test.
 */
export type OsName = "linux" | "darwin" | "windows";

export interface Computer {
  readonly os: OsName;
  /** As Node spells it: x64, arm64, … */
  readonly arch: string;
  /** Read-only view of the environment. On Windows look-ups are case-insensitive. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `$HOME`, on Windows `%USERPROFILE%`; undefined when unset or empty. */
  readonly homeDir: string | undefined;
  /** `$USER` (Windows: `%USERNAME%`), as 0.16.2 takes it; else what the system calls the user, else `uid-1000`, else "unknown". */
  readonly userName: string;
  readonly cwd: string;
  readonly pid: number;
  /** Numeric user id; undefined on Windows. */
  readonly uid: number | undefined;
  /** All of its memory; undefined where that is not known. */
  readonly memoryMiB?: number | undefined;
  /** Its processors, as programs see them; undefined where that is not known. */
  readonly cpus?: number | undefined;
}

export function osNameOf(computer: NodeJS.Platform): OsName {
  if (computer === "win32") return "windows";
  return computer === "darwin" ? "darwin" : "linux";
}

/** The platform this process runs on. */
export function thisComputer(): Computer {
  const env = process.env;
  const osName = osNameOf(process.platform);
  return {
    os: osName,
    arch: process.arch,
    env,
    homeDir: nonEmpty(osName === "windows" ? env["USERPROFILE"] : env["HOME"]),
    get userName() {
      return nonEmpty(osName === "windows" ? env["USERNAME"] : env["USER"]) ?? userNameOfSystem();
    },
    cwd: process.cwd(),
    pid: process.pid,
    uid: process.getuid?.(),
    // Asked of the system when somebody wants to know, which few commands do.
    get memoryMiB() {
      return Math.floor(process.getBuiltinModule("node:os").totalmem() / 1_048_576);
    },
    get cpus() {
      return process.getBuiltinModule("node:os").availableParallelism();
    },
  };
}

/** Jobs and containers have no USER, and at times a user id that no one has named. */
function userNameOfSystem(): string {
  const uid = process.getuid?.();
  try {
    const name = process.getBuiltinModule("node:os").userInfo().username;
    // Bun, which the executable runs on, asks the environment once more, and says this where that has no name.
    if (name !== "unknown" || uid === undefined) return name;
    const entries = process.getBuiltinModule("node:fs").readFileSync("/etc/passwd", "utf8").split("\n");
    return entries.map((entry) => entry.split(":")).find((fields) => fields[2] === String(uid))?.[0] ?? `uid-${uid}`;
  } catch {
    return uid === undefined ? "unknown" : `uid-${uid}`;
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
