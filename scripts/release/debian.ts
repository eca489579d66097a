/** A Debian package: the executable, completions of three shells, the man pages and the licence, by dpkg-deb. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { manPages } from "../man-pages.ts";

export interface DebianPackage {
  readonly executable: string;
  /** As Debian spells it. */
  readonly architecture: string;
  readonly version: string;
  readonly out: string;
  /** Of gzip: 1 for a package that is made to be tried, in a third of the time. */
  readonly compression?: number;
}

const completions = {
  "docker-machine.bash": "usr/share/bash-completion/completions/docker-machine",
  "_docker-machine": "usr/share/zsh/vendor-completions/_docker-machine",
  "docker-machine.fish": "usr/share/fish/vendor_completions.d/docker-machine.fish",
} as const;

/** A pre-release comes before its release only behind a tilde. */
export function debianVersion(version: string): string {
  return version.replace("-", "~");
}

/** Gives the file's path. */
export function buildDebianPackage({ executable, architecture, version, out, compression = 9 }: DebianPackage): string {
  const root = mkdtempSync(path.join(tmpdir(), "docker-machine-deb-"));
  try {
    // What is put there has these modes whatever the umask is, and whatever the file had that it is copied from.
    const put = (place: string, mode: number, content: string | Uint8Array): void => {
      const file = path.join(root, place);
      makeFolders(root, path.dirname(place));
      writeFileSync(file, content);
      chmodSync(file, mode);
    };
    put("usr/bin/docker-machine", 0o755, readFileSync(executable));
    for (const [file, place] of Object.entries(completions)) put(place, 0o644, readFileSync(path.join("completions", file)));
    for (const [file, page] of Object.entries(manPages())) put(`usr/share/man/man1/${file}.gz`, 0o644, gzipSync(page));
    put("usr/share/doc/docker-machine/copyright", 0o644, readFileSync("LICENSE"));
    put("usr/share/docker-machine/installed-by", 0o644, "deb\n");
    const size = Math.ceil(statSync(executable).size / 1024);
    put("DEBIAN/control", 0o644, control(version, architecture, size));
    const file = path.join(out, `docker-machine_${debianVersion(version)}_${architecture}.deb`);
    execFileSync("dpkg-deb", ["--root-owner-group", "-Zgzip", `-z${compression}`, "--build", root, file], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    return file;
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** The root is one too: of a package it is that of the system. */
function makeFolders(root: string, folder: string): void {
  chmodSync(root, 0o755);
  for (let each = folder; each !== "."; each = path.dirname(each)) {
    mkdirSync(path.join(root, each), { recursive: true });
    chmodSync(path.join(root, each), 0o755);
  }
}

function control(version: string, architecture: string, sizeKiB: number): string {
  const { description } = JSON.parse(readFileSync("package.json", "utf8")) as { description: string };
  return `Package: docker-machine
Version: ${debianVersion(version)}
Architecture: ${architecture}
Maintainer: The docker-machine authors <docker-machine@localhost>
Installed-Size: ${sizeKiB}
Depends: libc6 (>= 2.28)
Recommends: openssh-client
Suggests: docker-cli, qemu-system
Section: admin
Priority: optional
Description: create Docker hosts and manage many of them
 ${description}
`;
}
