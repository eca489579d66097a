/** The project of `--digitalocean-project`, which orders what an account has: a droplet is put into it once it is there. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { digitalOceanOptions } from "./options.ts";
import type { Workplace } from "./workplace.ts";

interface Project {
  readonly id: string;
  readonly name: string;
}

/** The id of the one that is wanted; "" where none is. Throws `provider-not-found`. */
export async function resolveProject({ api, config }: Workplace, signal: AbortSignal): Promise<string> {
  const wanted = config.Project;
  if (wanted === "") return "";
  const projects = await api.list<Project>("/v2/projects", "projects", {}, signal);
  const found = projects.find(({ id, name }) => id === wanted || name === wanted);
  if (found !== undefined) return found.id;
  throw new MachineError("provider-not-found", `The account has no project ${JSON.stringify(wanted)}`, {
    hint: `Choose one of ${projects.map(({ name }) => JSON.stringify(name)).join(", ")} with ${digitalOceanOptions.flagOf("Project")}.`,
  });
}

interface Assigned {
  readonly resources: readonly { readonly urn: string; readonly status: string }[];
}

/** A droplet runs in any project: where it cannot be moved that is said, and the machine is made all the same. */
export async function joinProject(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  if (config.ProjectId === "") return;
  const urn = `do:droplet:${config.DropletID}`;
  const problem = await assign(place, urn, signal);
  if (problem === undefined) return;
  const how = `doctl projects resources assign ${config.ProjectId} --resource=${urn}`;
  logTo(context.report, "warn", `The droplet is not in the project ${config.Project}: ${problem}. Put it there: ${how}`);
}

/** What stood in the way, in one sentence; undefined where it is there, also when it was there before. */
async function assign({ api, config }: Workplace, urn: string, signal: AbortSignal): Promise<string | undefined> {
  const path = `/v2/projects/${config.ProjectId}/resources`;
  try {
    const { resources } = await api.send<Assigned>({ method: "POST", path, body: { resources: [urn] }, safe: true }, signal);
    const status = resources.find((resource) => resource.urn === urn)?.status ?? "not_found";
    return ["not_found", "service_down"].includes(status) ? `DigitalOcean says ${status}` : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof MachineError)) throw error;
    return error.message;
  }
}
