/** A session at vCenter's REST API for one piece of work. */
import { RestApi } from "./api/rest-api.ts";
import { baseUrl } from "./api/connection.ts";
import type { Workplace } from "./workplace.ts";

const endMs = 5_000;

export async function withRest<Result>(
  place: Workplace,
  signal: AbortSignal,
  work: (rest: RestApi) => Promise<Result>,
): Promise<Result> {
  const { api, config, context } = place;
  const { clock, report, secret } = context;
  const facts = { host: config.IP, user: config.Username, machine: context.machineName };
  const credentials = async (until: AbortSignal) => await api.credentials(until);
  const http = await api.transport(signal);
  const rest = new RestApi({ http, clock, report, secret }, { baseUrl: baseUrl(config), facts, credentials });
  try {
    return await work(rest);
  } finally {
    await rest.end(AbortSignal.timeout(endMs));
  }
}
