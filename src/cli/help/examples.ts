/** Examples for help, the pages of `docs/cli` and the man pages: what people do most, by the command's full name. */

export interface Example {
  /** What it does, in a few words. */
  readonly does: string;
  /** Behind the program's name. */
  readonly words: string;
}

export const examples: Readonly<Record<string, readonly Example[]>> = {
  active: [{ does: "the machine that DOCKER_HOST points at", words: "active" }],
  create: [
    { does: "a virtual machine on this computer", words: "create web" },
    { does: "a box that you have, by SSH", words: "create --driver generic --generic-ip-address 192.0.2.10 web" },
    {
      does: "what that would change there, and nothing is done",
      words: "create --driver generic --generic-ip-address 192.0.2.10 --dry-run web",
    },
    { does: "five at once", words: "create --driver amazonec2 'web-{1..5}'" },
  ],
  env: [
    { does: "points the docker client of this shell at a machine, by eval", words: "env web" },
    { does: "and away from it again", words: "env --unset" },
    { does: "for a shell that is not the one in use", words: "env --shell fish web" },
  ],
  config: [{ does: "the flags of a docker client for one command", words: "config web" }],
  export: [
    { does: "two machines for a new laptop, by a passphrase", words: "export --passphrase --file machines.age web db" },
    {
      does: "one for somebody's key",
      words: "export --to age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p --file web.age web",
    },
  ],
  import: [{ does: "there", words: "import machines.age" }],
  share: [
    { does: "lets Alice use the engine for a working day", words: "share web --with alice.pub --for 8h" },
    {
      does: "a certificate, for a tool that knows no SSH",
      words: "share web --tls --with key.pem.pub --as alice --for 8h --folder alice-web",
    },
    { does: "with whom it is shared", words: "share ls web" },
  ],
  "store init": [
    { does: "in three members of etcd", words: "store init etcd://db1:2379,db2:2379,db3:2379/fleet --name alice" },
    { does: "in PostgreSQL", words: "store init postgres://db/ops/fleet --user dm --password keychain:dm-team" },
  ],
  "store join": [
    { does: "prints what a member needs to add you", words: "store join etcd://db1:2379/fleet --name bob" },
    { does: "a runner of CI, by an invitation", words: "store join etcd://db1:2379/fleet --token env:DM_INVITATION" },
  ],
  "store invite": [
    { does: "a token for a runner, into a file for you alone", words: "store invite ci-1 --for 30m --file ci-1.token" },
  ],
  "store push": [{ does: "what is here already becomes the team's", words: "store push web db" }],
  "store log": [
    { does: "what became of a machine since yesterday", words: "store log web --since 24h" },
    { does: "all of it, the team's members too", words: "store log" },
  ],
  unshare: [{ does: "shuts Alice out at once", words: "unshare web alice" }],
  "config set": [
    { does: "asks for the new token", words: "config set web digitalocean-access-token" },
    { does: "says where it is from now on", words: "config set web digitalocean-access-token=env:DO_TOKEN" },
  ],
  ls: [
    { does: "all machines", words: "ls" },
    { does: "those of one driver that run", words: "ls --filter driver=qemu --filter state=Running" },
    { does: "again and again: q ends it, / filters by typing", words: "ls --watch" },
    { does: "a table of your own", words: "ls --format 'table {{.Name}}\\t{{.URL}}'" },
  ],
  inspect: [
    { does: "all that is known of a machine, its secrets masked", words: "inspect web" },
    { does: "one fact", words: "inspect --format '{{.Driver.IPAddress}}' web" },
  ],
  ip: [{ does: "the addresses of several, a line each", words: "ip web db" }],
  ssh: [
    { does: "a shell", words: "ssh web" },
    { does: "a command; its status is given back", words: "ssh web uptime" },
    { does: "with flags of ssh", words: "ssh web -L 8080:localhost:80" },
  ],
  scp: [
    { does: "a file there", words: "scp compose.yml web:" },
    { does: "a folder back", words: "scp -r web:/var/log/app ." },
  ],
  mount: [
    { does: "a folder of the machine here", words: "mount web:/srv ./srv" },
    { does: "and away again", words: "mount --unmount web:/srv ./srv" },
  ],
  status: [{ does: "its state as its driver tells it", words: "status web" }],
  url: [{ does: "where its engine is reached", words: "url web" }],
  version: [
    { does: "this program's", words: "version" },
    { does: "the engine's of a machine", words: "version web" },
  ],
  restart: [{ does: "several at once", words: "restart web db" }],
  kill: [{ does: "as if its plug was pulled", words: "kill web" }],
  start: [{ does: "also where it runs already: until it can be used", words: "start --wait web" }],
  stop: [
    { does: "several at once", words: "stop web db" },
    { does: "keeps what is in its memory", words: "stop --suspend web" },
  ],
  rm: [
    { does: "the instance, then the record; asks first", words: "rm web" },
    { does: "an adopted box as it was found", words: "rm --restore box" },
  ],
  upgrade: [
    { does: "to the newest version that the engine's source has", words: "upgrade web" },
    {
      does: "one version for many, machine by machine, the first watched for ten minutes",
      words: "upgrade --to 28.4 --first 1 --pause 10m --filter label=role=web",
    },
  ],
  provision: [{ does: "repeats the set-up, or goes on with a create that was cut off", words: "provision web" }],
  "regenerate-certs": [
    { does: "also for a name it is to be reached by", words: "regenerate-certs --force --tls-san web.example.com web" },
  ],
  gc: [
    { does: "what interrupted commands left behind", words: "gc" },
    { does: "removes it", words: "gc --remove" },
  ],
  plan: [
    { does: "of machines.yml in this folder", words: "plan" },
    { does: "of some machines alone", words: "plan db 'web-[1-3]'" },
    { does: "in a pipeline: 0 nothing, 2 something, 1 an error", words: "plan --file fleet/shop.yml --detailed-exitcode" },
  ],
  apply: [
    { does: "what plan shows, after asking", words: "apply" },
    { does: "in a pipeline: a plan that somebody has read", words: "apply --plan shop.plan" },
    { does: "also removes what is in the file no more", words: "apply --prune --yes" },
  ],
  drift: [
    { does: "32 at a time, one probe each", words: "drift" },
    { does: "for once without a known noise", words: "drift --ignore host-name --ignore '/etc/*'" },
  ],
  destroy: [{ does: "asks for the name before it removes anything", words: "destroy --fleet shop" }],
  schema: [{ does: "for an editor that checks and completes the file", words: "schema" }],
  exec: [
    { does: "on all machines with a label", words: "exec --filter label=role=web -- uptime" },
    { does: "equal answers once", words: "exec --all --group -- docker --version" },
  ],
  ttl: [
    { does: "when a machine is powered off", words: "ttl web" },
    { does: "four more hours from now on", words: "ttl web 4h" },
    { does: "when nothing has used it for two hours", words: "ttl web --idle 2h" },
    { does: "never", words: "ttl web off" },
  ],
  label: [{ does: "one more, and one less", words: "label web role=web old-" }],
  with: [{ does: "any tool on the engine of a machine", words: "with web -- docker compose up -d" }],
  doctor: [
    { does: "what is wrong with this computer and all machines, and what helps", words: "doctor" },
    { does: "mends what can be mended without asking, and says it first", words: "doctor --fix web" },
  ],
  context: [{ does: "has docker itself use a machine from now on", words: "context use web" }],
  "context create": [{ does: "one for each machine, which follows it from now on", words: "context create --all" }],
  "context use": [{ does: "the current one, made where there is none", words: "context use web" }],
  "context rm": [{ does: "the machine stays", words: "context rm web" }],
  "ssh-config": [
    { does: "for a ssh_config of your own", words: "ssh-config web" },
    { does: "kept for all: then ssh web.docker-machine, rsync and VS Code work", words: "ssh-config --install" },
  ],
  protect: [{ does: "from rm, gc and kill, whatever flags they have", words: "protect db" }],
  unprotect: [{ does: "may be removed again", words: "unprotect db" }],
  console: [{ does: "what it said while it started", words: "console web" }],
  wait: [{ does: "until the engines answer", words: "wait web db --within 5m" }],
  logs: [{ does: "goes on until it is stopped", words: "logs --follow web" }],
  port: [
    { does: "what is published at 80 there, at 8080 here", words: "port web 8080:80" },
    { does: "no longer", words: "port web --close 8080" },
  ],
  edit: [{ does: "more of both", words: "edit web --cpus 4 --memory 8GB" }],
  rename: [{ does: "another name in this store", words: "rename web front" }],
  cache: [{ does: "what is kept, and what it takes", words: "cache ls" }],
  "cache ls": [{ does: "the largest first", words: "cache ls" }],
  settings: [{ does: "an example to begin with, checked afterwards", words: "settings edit" }],
  "settings path": [{ does: "for a backup, or an editor of your own", words: "settings path" }],
  "settings edit": [{ does: "in the editor of EDITOR or VISUAL", words: "settings edit" }],
  "settings check": [{ does: "as create would read them, all profiles", words: "settings check" }],
  driver: [{ does: "what machines can be made of here", words: "driver ls" }],
  "driver ls": [{ does: "built in, and plugins on PATH", words: "driver ls" }],
  "driver new": [{ does: "a driver's project, with tests, to begin from", words: "driver new mycloud" }],
  "cache prune": [{ does: "what was made longer ago than a month", words: "cache prune --older-than 30d" }],
  "ssh-host-key": [
    {
      does: "takes a key that was compared on the machine's own console",
      words: "ssh-host-key --accept SHA256:uNiVztksCsDhcc0u9e8BrrJlzV58cOJPK3kyEBgGhbw web",
    },
  ],
  completion: [{ does: "for bash, in this shell, by eval", words: "completion bash" }],
  "completion install": [{ does: "for good, where the shell looks for it", words: "completion install" }],
  "driver inspect": [{ does: "what its create flags are", words: "driver inspect amazonec2" }],
};
