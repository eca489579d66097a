/** boot2docker: the engine is the ISO; settings and certificates lie on its data disk. */
import { boot2dockerLayout } from "../../engine/engine-files.ts";
import { boot2dockerService } from "../../engine/engine-service.ts";
import type { Family } from "../family.ts";

export const boot2docker: Family = {
  name: "boot2docker",
  ids: ["boot2docker"],
  automatic: [],
  installation: () => undefined,
  layout: boot2dockerLayout,
  service: boot2dockerService,
};
