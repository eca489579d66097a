/** Every operating system family, one line each: a folder under `families/`. The first that fits a host is taken. */
import { alpine } from "./families/alpine/index.ts";
import { arch } from "./families/arch/index.ts";
import { boot2docker } from "./families/boot2docker/index.ts";
import { debian } from "./families/debian/index.ts";
import type { Family } from "./families/family.ts";
import { flatcar } from "./families/flatcar/index.ts";
import { genericStatic } from "./families/generic-static/index.ts";
import { redhat } from "./families/redhat/index.ts";
import { suse } from "./families/suse/index.ts";

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
