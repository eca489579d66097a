/** What the executables are made of, as CycloneDX 1.5: the packages of the lock file that are not for development, and Bun. */
import { readFileSync } from "node:fs";

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

export function billOfMaterials(version: string): string {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, LockedPackage> };
  const bun = JSON.parse(readFileSync("tools/toolchain/package.json", "utf8")) as { optionalDependencies: { bun: string } };
  const packages = Object.entries(lock.packages).filter(([place, each]) => place !== "" && each.dev !== true);
  const components = packages.map(([place, each]) => componentOf(place.replace(/^.*node_modules\//u, ""), each));
  const program = { type: "application", name: "docker-machine", version, licenses: [{ license: { id: "Apache-2.0" } }] };
  return `${JSON.stringify(
    {
      bomFormat: "CycloneDX",
      specVersion: "1.5",
      version: 1,
      metadata: { component: { "bom-ref": "docker-machine", ...program } },
      components: [
        ...components,
        {
          type: "platform",
          name: "bun",
          version: bun.optionalDependencies.bun,
          purl: `pkg:npm/bun@${bun.optionalDependencies.bun}`,
        },
      ],
    },
    undefined,
    2,
  )}\n`;
}

function componentOf(name: string, { version = "", license, integrity }: LockedPackage): object {
  const [, hash] = /^sha512-(.+)$/u.exec(integrity ?? "") ?? [];
  return {
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    ...(hash === undefined ? {} : { hashes: [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }] }),
  };
}
