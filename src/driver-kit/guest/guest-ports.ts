/** TCP ports inside a machine that was made for us. */
export const guestSshPort = 22;
/** Where its engine listens with TLS, as everywhere since 0.16.2. */
export const guestEnginePort = 2376;
/** Where a swarm master of 0.16.2's kind listens unless `--swarm-host` says otherwise. */
export const guestSwarmPort = 3376;
