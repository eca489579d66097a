/** TCP ports inside a machine that was made for us; its engine listens at `defaultEnginePort`. */
export const guestSshPort = 22;
/** Where a swarm master of 0.16.2's kind listens unless `--swarm-host` says otherwise. */
export const guestSwarmPort = 3376;
