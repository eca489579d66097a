/** Every operating system family, one line each: a folder under `families/`. The first that fits a host is taken. */
import { alpine } from "./alpine/index.ts";
import { arch } from "./arch/index.ts";
import { boot2docker } from "./boot2docker/index.ts";
import { debian } from "./debian/index.ts";
import type { Family } from "./family.ts";
import { flatcar } from "./flatcar/index.ts";
import { genericStatic } from "./generic-static/index.ts";
import { redhat } from "./redhat/index.ts";
import { suse } from "./suse/index.ts";

export const families = {
  boot2docker,
  flatcar,
  debian,
  redhat,
  suse,
  arch,
  alpine,
  "generic-static": genericStatic,
} as const satisfies Record<string, Family>;
