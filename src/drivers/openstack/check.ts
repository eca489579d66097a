/** What is checked before anything is made: first what this computer knows, then what the cloud and the project have. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { checkUserData } from "./first-boot.ts";
import { checkQuota, requireFlavor, someOf } from "./flavor.ts";
import { checkFloatingIpQuota } from "./floating-ip.ts";
import { requireImage } from "./image.ts";
import { checkKey } from "./login-key.ts";
import { resolveNetworks } from "./network.ts";
import { openStackOptions } from "./options.ts";
import { checkGroups } from "./security-group.ts";
import { checkRoot, checkVolumes } from "./volume.ts";
import type { Workplace } from "./workplace.ts";

const { flagOf } = openStackOptions;

/** Throws with nothing made. Afterwards the record has the ids of what will be asked for. */
export async function checkBeforeCreate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config } = place;
  await checkUserData(place);
  await checkProject(place, signal);
  const flavor = await requireFlavor(place, signal);
  const image = await requireImage(place, flavor, signal);
  checkRoot(place, flavor, image);
  await checkQuota(place, flavor, signal);
  await resolveNetworks(place, signal);
  await checkGroups(place, signal);
  await checkFloatingIpQuota(place, signal);
  await checkKey(place, signal);
  await checkZone(place, signal);
  await checkVolumes(place, signal);
  config.ServerGroupId = await resolveServerGroup(place, signal);
  config.FlavorId = flavor.id;
  config.ImageId = image.id;
}

/** The credentials are good, and for more than to look. */
async function checkProject({ api, config, context }: Workplace, signal: AbortSignal): Promise<void> {
  const roles = await api.session.roles(signal);
  const project = await api.session.project(signal);
  if (project === undefined)
    throw new MachineError("provider-permission", "Keystone gives a token that is for no project", {
      hint: "Name the project: OS_PROJECT_NAME, or --openstack-tenant-name.",
    });
  if (roles.length > 0 && roles.every((role) => role === "reader"))
    throw new MachineError(
      "provider-permission",
      `The credentials may only look at the project ${project.name}: their role is reader`,
      {
        hint: "The user, or the application credential, needs the role member.",
      },
    );
  if (config.AuthUrl.startsWith("http://") && !/^http:\/\/(?:localhost|127\.|\[::1\])/u.test(config.AuthUrl))
    logTo(context.report, "warn", `${config.AuthUrl} is plain http: whoever is on the way reads the password`);
}

interface Zone {
  readonly zoneName: string;
  readonly zoneState: { readonly available: boolean };
}

async function checkZone({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  if (config.AvailabilityZone === "") return;
  // Operators may name a host behind the zone.
  const [wanted = ""] = config.AvailabilityZone.split(":");
  const request = { method: "GET", path: "/os-availability-zone" } as const;
  const { availabilityZoneInfo: zones } = await api.send<{ availabilityZoneInfo: readonly Zone[] }>("compute", request, signal);
  const open = zones.filter(({ zoneState }) => zoneState.available).map(({ zoneName }) => zoneName);
  if (open.includes(wanted)) return;
  const isThere = zones.some(({ zoneName }) => zoneName === wanted);
  const sentence = isThere
    ? `The availability zone ${wanted} takes no instances now`
    : `Unable to find availability zone named ${wanted}`;
  throw new MachineError(isThere ? "provider-capacity" : "provider-not-found", sentence, {
    hint: `Choose one of ${someOf(open)} with ${flagOf("AvailabilityZone")}.`,
  });
}

interface ServerGroup {
  readonly id: string;
  readonly name: string;
}

/** "" where none is named. */
async function resolveServerGroup({ api, config }: Workplace, signal: AbortSignal): Promise<string> {
  const { ServerGroupId, ServerGroupName } = config;
  if (ServerGroupId === "" && ServerGroupName === "") return "";
  const groups = await api.list<ServerGroup>("compute", "/os-server-groups", "server_groups", {}, signal);
  const found = groups.find(({ id, name }) => (ServerGroupId === "" ? name === ServerGroupName : id === ServerGroupId));
  if (found !== undefined) return found.id;
  throw new MachineError(
    "provider-not-found",
    `Unable to find server group ${ServerGroupId === "" ? `named ${ServerGroupName}` : ServerGroupId}`,
    {
      hint: `Choose one of ${someOf(groups.map(({ name }) => name))} with ${flagOf("ServerGroupName")}.`,
    },
  );
}
