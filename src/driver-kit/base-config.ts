/** The fields every driver's stored configuration begins with, in 0.16.2's order (its BaseDriver). */
export interface BaseConfig {
  IPAddress: string;
  MachineName: string;
  SSHUser: string;
  SSHPort: number;
  SSHKeyPath: string;
  StorePath: string;
  SwarmMaster: boolean;
  SwarmHost: string;
  SwarmDiscovery: string;
}

/** The configuration of a new machine. `storePath` is the store's root, as 0.16.2 records it. */
export function newBaseConfig(machineName: string, storePath: string): BaseConfig {
  return {
    IPAddress: "",
    MachineName: machineName,
    SSHUser: "",
    SSHPort: 0,
    SSHKeyPath: "",
    StorePath: storePath,
    SwarmMaster: false,
    SwarmHost: "",
    SwarmDiscovery: "",
  };
}
