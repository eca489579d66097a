/**
 * Building the images of the lab, once for each content of their recipe: the name of an image carries a hash of
 * everything that it is made of, so a changed recipe is a new image and an unchanged one is never built again.
 */
import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { lockFile } from "../../src/system/file-lock.ts";
import { quoteCommand, quoteWord } from "../../src/ssh/shell-quote.ts";
import { startCommand, lastLines } from "./command.ts";
import { dockerEnvironment, type LabEngine } from "./engine.ts";
import { readOuterApt, sourceLines, type OuterApt, type Release } from "./outer-apt.ts";
import { labPaths } from "./paths.ts";
import { largeRecipes, recipes, type ImageRecipe } from "./recipes.ts";

/** Minutes on a quiet computer; whoever waits for another's build waits longer than that may take. */
export const buildBoundMs = 900_000;
export const buildWaitMs = 2 * buildBoundMs;
const staleAfterHours = 14 * 24;
export const labLabel = "docker-machine-lab";
/** Names the lease that a container belongs to. */
export const ownerLabel = `${labLabel}.owner`;

/** A mirror that stumbles is not what tests are about. */
const buildRetries = "-o Acquire::Retries=3";

/** What every image tells the engine: data of an inner engine must not lie on an overlay. */
const imageSettings = ["VOLUME /var/lib/docker /var/lib/containerd", 'CMD ["/sbin/init"]', `LABEL ${labLabel}=image`];

/** A layer would else keep the command and the labels of the container that it was built in. */
const layerSettings = ['CMD ["/sbin/init"]', `LABEL ${labLabel}=image ${ownerLabel}=`];

/** Small and quick: no translations, no documentation, no fsync for each file. Recommendations stay on, as on a real host. */
const aptSettings = ['Acquire::Languages "none";'];
const dpkgSettings = [
  "force-unsafe-io",
  "path-exclude=/usr/share/man/*",
  "path-exclude=/usr/share/doc/*",
  "path-exclude=/usr/share/locale/*",
];

export class ImageStore {
  readonly #engine: LabEngine;
  readonly #owner: string;
  readonly #report: (line: string) => void;
  readonly #ready = new Map<string, Promise<string>>();
  #apt: Promise<OuterApt> | undefined;

  /** What is built belongs to the lease `owner` while it is being built. */
  constructor(engine: LabEngine, owner: string, report: (line: string) => void) {
    this.#engine = engine;
    this.#owner = owner;
    this.#report = report;
  }

  /** Reference of the image of that name, built now when it is not there. */
  require(name: string): Promise<string> {
    const known = this.#ready.get(name) ?? this.#requireOnce(name);
    this.#ready.set(name, known);
    return known;
  }

  async #requireOnce(name: string): Promise<string> {
    const recipe = recipeOf(name);
    this.#apt ??= readOuterApt();
    const reference = referenceOf(name, await this.#apt);
    if (await this.#exists(reference)) return reference;
    const from = "from" in recipe ? await this.require(recipe.from) : undefined;
    await using _ = await lockFile(labPaths.imageLock(name), {
      what: `image ${name}`,
      purpose: "build",
      waitMs: buildWaitMs,
    });
    if (await this.#exists(reference)) return reference;
    this.#report(`building image ${name}`);
    if (from !== undefined) await this.#buildLayer(reference, from, recipe);
    else if ("release" in recipe) await this.#buildBase(reference, recipe.release, recipe, await this.#apt);
    await this.#forgetStale();
    return reference;
  }

  async #exists(reference: string): Promise<boolean> {
    return (await this.#engine.docker(["image", "ls", "--quiet", reference])) !== "";
  }

  async #buildBase(reference: string, release: Release, recipe: ImageRecipe, apt: OuterApt): Promise<void> {
    const changes = imageSettings.flatMap((setting) => ["--change", setting]);
    const settings = [...aptSettings, ...apt.settings];
    // On disk: it is large, and /tmp may be mounted without leave to execute.
    const scratch = await mkdtemp("/var/tmp/docker-machine-lab-");
    try {
      // apt in the making drops to a user of its own, who must get in.
      await chmod(scratch, 0o755);
      const imported = await pipe(
        [
          "unshare",
          [...privateMounts, ...bootstrapArguments(recipe, settings), release, "-", sourceLines(apt, release).join("\n")],
        ],
        ["docker", ["import", ...changes, "-"]],
        { ...dockerEnvironment(this.#engine.address), TMPDIR: scratch },
      );
      // Named only now: an image under its name is a whole one.
      await this.#engine.docker(["tag", imported.trim(), reference]);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #buildLayer(reference: string, from: string, recipe: ImageRecipe): Promise<void> {
    await this.inContainer(from, layerScript(recipe), [], async (container) => {
      const flags = layerSettings.flatMap((setting) => ["--change", setting]);
      await this.#engine.docker(["commit", ...flags, container, reference], { timeoutMs: buildBoundMs });
    });
  }

  /** Runs a script in a container of an image to its end, and `use` on what it made; the container is gone afterwards. */
  async inContainer(
    image: string,
    script: string,
    environment: readonly string[],
    use: (container: string) => Promise<void>,
  ): Promise<void> {
    const { docker } = this.#engine;
    const container = `lab-build-${randomBytes(4).toString("hex")}`;
    const labels = ["--label", `${labLabel}=build`, "--label", `${ownerLabel}=${this.#owner}`];
    const variables = environment.flatMap((variable) => ["--env", variable]);
    try {
      await docker(["run", "--name", container, ...labels, ...variables, image, "sh", "-euc", script], {
        timeoutMs: buildBoundMs,
      });
      await use(container);
    } finally {
      await docker(["rm", "--force", "--volumes", container]).catch(() => "");
    }
  }

  /** Images of former recipes; packages in them are out of date anyhow. */
  async #forgetStale(): Promise<void> {
    const filters = ["--filter", `label=${labLabel}=image`, "--filter", `until=${staleAfterHours}h`];
    await this.#engine.docker(["image", "prune", "--all", "--force", ...filters]).catch(() => "");
  }
}

function recipeOf(name: string): ImageRecipe {
  const recipe = recipes[name] ?? largeRecipes[name];
  if (recipe === undefined) throw new Error(`The lab has no image ${name}; it has ${Object.keys(recipes).join(", ")}`);
  return recipe;
}

function referenceOf(name: string, apt: OuterApt): string {
  const chain = chainOf(name);
  const content = JSON.stringify([chain, imageSettings, layerSettings, aptSettings, dpkgSettings, chain.map(layerScript), apt]);
  return `docker-machine-lab/${name}:${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
}

/** The recipe and all that it stands on. */
function chainOf(name: string): ImageRecipe[] {
  const recipe = recipeOf(name);
  return "from" in recipe ? [recipe, ...chainOf(recipe.from)] : [recipe];
}

/** What mmdebstrap mounts is nobody else's to look into, and cannot be left behind. */
const privateMounts = ["--mount", "--propagation", "private", "mmdebstrap"];

function bootstrapArguments(recipe: ImageRecipe, settings: readonly string[]): string[] {
  return [
    "--variant=minbase",
    "--quiet",
    `--include=${recipe.packages.join(",")}`,
    '--aptopt=APT::Install-Recommends "false";',
    '--aptopt=Acquire::Retries "3";',
    ...settings.map((setting) => `--aptopt=${setting}`),
    ...dpkgSettings.map((setting) => `--dpkgopt=${setting}`),
    `--customize-hook=chroot "$1" sh -euc ${quoteWord(`${recipe.script}\n${keepSettings(settings)}`)}`,
  ];
}

/** mmdebstrap leaves the settings of the build in the image, among them the refusal of recommendations. */
function keepSettings(settings: readonly string[]): string {
  const words = quoteCommand(settings);
  return `rm -f /etc/apt/apt.conf.d/99mmdebstrap; printf '%s\\n' ${words} > /etc/apt/apt.conf.d/80lab`;
}

function layerScript(recipe: ImageRecipe): string {
  return `
    printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq ${buildRetries} update
    apt-get -qq ${buildRetries} install -y --no-install-recommends ${recipe.packages.join(" ")}
    ${recipe.script}
    rm -rf /usr/sbin/policy-rc.d /var/cache/apt/archives/*.deb /var/lib/apt/lists/* /tmp/*
  `;
}

type CommandLine = readonly [program: string, args: readonly string[]];

/** Runs `from | to` and returns what `to` prints; throws with the words of both when either fails. */
async function pipe(from: CommandLine, to: CommandLine, env: NodeJS.ProcessEnv): Promise<string> {
  const source = startCommand(from[0], from[1], { stdio: ["ignore", "pipe", "pipe"], env });
  const target = startCommand(to[0], to[1], { stdio: ["pipe", "pipe", "pipe"], env });
  if (source.stdout === null || target.stdin === null) throw new Error("unreachable: both were asked for as pipes");
  const timer = setTimeout(() => source.kill("SIGTERM"), buildBoundMs);
  const complaints = collect(source.stderr, target.stderr);
  const printed = collect(target.stdout);
  target.stdin.on("error", () => {});
  source.stdout.pipe(target.stdin);
  // Else a source whose reader has failed would wait for it for ever.
  target.once("close", () => source.stdout?.destroy());
  const ended = [source, target].map((child) => new Promise<number | null>((resolve) => child.once("close", resolve)));
  const statuses = await Promise.all(ended);
  clearTimeout(timer);
  if (statuses.every((status) => status === 0)) return printed();
  throw new Error(`${from[0]} | ${to[0]} failed (${statuses.join(", ")}):\n${lastLines(complaints(), 15)}`);
}

function collect(...streams: readonly (Readable | null)[]): () => string {
  const chunks: Buffer[] = [];
  for (const stream of streams) stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}
