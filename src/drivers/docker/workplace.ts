/** What the parts of the driver work on. */
import type { DriverContext } from "../../driver-kit/driver.ts";
import type { ApiEndpoint, EngineApi } from "../../engine/engine-api.ts";
import type { DockerConfig } from "./config.ts";

export interface Workplace {
  readonly context: DriverContext;
  readonly config: DockerConfig;
  readonly api: EngineApi;
  readonly endpoint: ApiEndpoint;
}
