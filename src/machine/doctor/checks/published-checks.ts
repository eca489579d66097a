/** What containers publish: whether it comes to this computer, where that is wanted. */
import { outcomeWords } from "../../published/outcome-words.ts";
import type { PublishedFacts } from "../../published/published-facts.ts";
import { check, warn, type AnyCheck } from "../check.ts";

export const publishedChecks: readonly AnyCheck[] = [
  check<PublishedFacts>({
    id: "published-ports",
    layer: "use",
    title: "ports of containers lead to the machine from this computer",
    needs: ["provider"],
    of: "machine",
    probe: async (subject) => await subject.published(),
    judge: ({ isWatched, ports }) => {
      if (!isWatched)
        return warn("nobody opens the ports that its containers publish", "the process that does was ended", "unwatched");
      const taken = ports.filter(({ outcome }) => outcome === "in-use" || outcome === "not-allowed");
      if (taken.length === 0) return undefined;
      const evidence = taken.map(({ port, protocol, outcome }) => `${port}/${protocol}: ${outcomeWords[outcome]}`).join("; ");
      return warn(evidence, "another program or machine has them, or they are below 1024", "taken");
    },
    advice: ({ kind }, { name }) =>
      kind === "unwatched"
        ? `docker-machine doctor --fix ${name}`
        : "End the program that has the port, or publish another one: docker run -p 18080:80",
    repair: ({ kind }, { repairs }) =>
      kind === "unwatched"
        ? { what: "start the process that opens them", run: async () => await repairs.watchPorts() }
        : undefined,
  }),
];
