/** The npm package: CommonJS chunks, each required on first use, because the evaluated modules are what start-up costs on Node. */
import { defineConfig } from "rolldown";
import { hotGroups, hotModules } from "./hot-modules.ts";

const hot = hotModules();

export default defineConfig({
  input: {
    program: "src/cli/bin.ts",
    index: "src/index.ts",
    driver: "src/driver.ts",
    testing: "src/testing.ts",
  },
  platform: "node",
  // Node 22 does not know `using`.
  transform: {
    target: "node22",
    define: { DOCKER_MACHINE_COMMIT: JSON.stringify(process.env["DOCKER_MACHINE_COMMIT"] ?? "HEAD") },
  },
  // Dependencies stay where npm put them: they are loaded lazily too.
  external: [
    /^node:/u,
    /^bun:/u,
    "@azure/identity",
    "age-encryption",
    "postgres",
    "re2js",
    "ssh2",
    "@peculiar/asn1-schema",
    "@peculiar/asn1-x509",
    /^@(?:aws-sdk|smithy)\//u,
  ],
  output: {
    dir: "dist",
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "chunks/[name]-[hash].cjs",
    minify: false,
    // What an earlier group has, a later one needs.
    codeSplitting: {
      groups: hotGroups.map((name, index) => ({
        name,
        priority: hotGroups.length - index,
        test: (id: string) => hot.get(id) === name,
      })),
    },
  },
});
