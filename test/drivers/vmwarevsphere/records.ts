/** `Driver` objects as 0.16.2's own code and Rancher's fork write them, with values of ours. */
const base = {
  IPAddress: "192.0.2.7",
  MachineName: "web",
  SSHUser: "docker",
  SSHPort: 22,
  SSHKeyPath: "/home/alice/.docker/machine/machines/web/id_rsa",
  StorePath: "/home/alice/.docker/machine",
  SwarmMaster: false,
  SwarmHost: "tcp://0.0.0.0:3376",
  SwarmDiscovery: "",
};

export const recordOf016 = {
  ...base,
  ...{
    Memory: 2048,
    DiskSize: 20_480,
    CPU: 2,
    ISO: "/home/alice/.docker/machine/machines/web/boot2docker.iso",
    Boot2DockerURL: "",
  },
  ...{ CPUS: 2, IP: "127.0.0.1", Port: 443, Username: "alice@vsphere.local", Password: "s3cret", Network: "VM Network" },
  ...{ Networks: ["VM Network"], Datastore: "LocalDS_0", Datacenter: "DC0", Folder: "", Pool: "", HostSystem: "" },
  ...{ CfgParams: null, CloudInit: "", SSHPassword: "tcuser" },
};

const { IPAddress, ...rest } = base;

export const recordOfRancher = {
  IPAddress,
  IPv6Address: "",
  ...rest,
  ...{ Memory: 4096, DiskSize: 40_000, CPU: 4, ISO: "", Boot2DockerURL: "", CPUS: 2, MachineId: "", IP: "127.0.0.1", Port: 443 },
  ...{ Username: "alice@vsphere.local", Password: "s3cret", Network: "VM Network", Networks: ["VM Network"], Tags: null },
  ...{
    CustomAttributes: null,
    Datastore: "LocalDS_0",
    DatastoreCluster: "",
    Datacenter: "DC0",
    Folder: "",
    Pool: "DC0_C0/Resources",
  },
  ...{ HostSystem: "", CfgParams: ["disk.enableUUID=TRUE"], CloudInit: "", CloudConfig: "#cloud-config\nusers: []\n" },
  ...{ VAppIpProtocol: "", VAppIpAllocationPolicy: "", VAppTransport: "", VAppProperties: null, CreationType: "template" },
  ...{ ContentLibrary: "", CloneFrom: "DC0/vm/ubuntu", SSHPassword: "tcuser", SSHUserGroup: "staff", OS: "linux" },
  GracefulShutdownTimeout: 0,
};

export const records: readonly string[] = [
  JSON.stringify(recordOf016),
  JSON.stringify({ ...recordOf016, Networks: null, Network: "" }),
  JSON.stringify({ ...recordOfRancher, MachineId: "42310f0e-6d43-9c8c-0f5d-6a1e7c1b2a3d" }),
];
