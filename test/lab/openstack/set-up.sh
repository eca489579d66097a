#!/bin/bash
# Sets OpenStack up in a host of the lab that has its packages: each service with one process, servers that are hosts of
# the lab (nova_lab.py), floating addresses that the lab lays on them (neutron_lab.py), volumes that are entries
# (cinder_lab.py). Told: this host's address, what fixed and what floating addresses begin with, and where the lab hears of
# servers. Says "ready" in the end.
set -eu
address=$1 fixed=$2 floating=$3 hardware=$4
password=lab
folder=$(dirname "$0")
services="keystone glance-api placement-api nova-api nova-api-metadata nova-conductor nova-scheduler nova-compute \
  neutron-api neutron-rpc-server neutron-linuxbridge-agent cinder-api cinder-scheduler cinder-volume"

say() { echo "$(date +%T) $*" >&2; }

say "services that started unconfigured"
systemctl stop $services libvirtd libvirtd.socket 2>/dev/null || true
sed -i 's/^processes = .*/processes = 1/; s/^threads = .*/threads = 8/' /etc/*/*-uwsgi.ini
# The threads of these are eventlet's, which do not go with those of their server: an answer that came to another one's is
# waited for in vain.
sed -i 's/^threads = .*/threads = 1/' /etc/{nova,neutron,cinder}/*-api-uwsgi.ini

# A busy computer takes longer than systemd has patience for.
for service in $services; do
  mkdir -p "/etc/systemd/system/$service.service.d"
  printf '[Service]\nTimeoutStartSec=900\nEnvironment=LAB_HARDWARE=%s\n' "$hardware" > "/etc/systemd/system/$service.service.d/lab.conf"
done
systemctl daemon-reload
# Nova takes its drivers from a place of its own.
cp "$folder"/{neutron,cinder}_lab.py /usr/lib/python3/dist-packages
cp "$folder"/nova_lab.py /usr/lib/python3/dist-packages/nova/virt

say "databases and messages"
systemctl start mariadb rabbitmq-server
for database in keystone glance placement nova_api nova nova_cell0 neutron cinder; do
  mysql -e "CREATE DATABASE $database; GRANT ALL ON $database.* TO '${database%%_*}'@'localhost' IDENTIFIED BY '$password';
    GRANT ALL ON $database.* TO '${database%%_*}'@'127.0.0.1' IDENTIFIED BY '$password';"
done
rabbitmqctl -q add_user openstack $password
rabbitmqctl -q set_permissions openstack '.*' '.*' '.*'

sql() { echo "mysql+pymysql://$1:$password@127.0.0.1/$2?charset=utf8"; }
bus="transport_url = rabbit://openstack:$password@127.0.0.1"
# Between two requests such a server lets no thread run that could say that its connection lives.
quiet="[oslo_messaging_rabbit]
heartbeat_timeout_threshold = 0"
auth() {
  cat <<END
auth_type = password
auth_url = http://$address:5000/v3
username = $1
password = $password
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
END
}
token() { printf '[keystone_authtoken]\nwww_authenticate_uri = http://%s:5000\n%s\n' "$address" "$(auth "$1")"; }

cat > /etc/keystone/keystone.conf <<END
[DEFAULT]
log_dir = /var/log/keystone
[database]
connection = $(sql keystone keystone)
[token]
provider = fernet
END
cat > /etc/glance/glance-api.conf <<END
[database]
connection = $(sql glance glance)
[glance_store]
stores = file
default_store = file
filesystem_store_datadir = /var/lib/glance/images
[paste_deploy]
flavor = keystone
$(token glance)
END
cat > /etc/placement/placement.conf <<END
[placement_database]
connection = $(sql placement placement)
[api]
auth_strategy = keystone
$(token placement)
END
cat > /etc/nova/nova.conf <<END
[DEFAULT]
$bus
my_ip = $address
state_path = /var/lib/nova
compute_driver = nova_lab.LabDriver
api_workers = 1
log_dir = /var/log/nova
[api_database]
connection = $(sql nova nova_api)
[database]
connection = $(sql nova nova)
[oslo_concurrency]
lock_path = /var/lock/nova
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 10
[conductor]
workers = 1
[quota]
instances = 3
[vnc]
enabled = false
[glance]
api_servers = http://$address:9292
[placement]
$(auth placement)
[neutron]
$(auth neutron)
[cinder]
$(auth cinder)
os_region_name = RegionOne
[service_user]
send_service_user_token = true
$(auth nova)
$(token nova)
$quiet
END
rm -f /etc/nova/nova-compute.conf && touch /etc/nova/nova-compute.conf
cat > /etc/neutron/neutron.conf <<END
[DEFAULT]
$bus
core_plugin = ml2
service_plugins = router,port_forwarding,neutron_lab.LabRouters
auth_strategy = keystone
api_workers = 1
rpc_workers = 1
state_path = /var/lib/neutron
[database]
connection = $(sql neutron neutron)
[experimental]
linuxbridge = true
[oslo_concurrency]
lock_path = /var/lock/neutron
[agent]
root_helper = sudo neutron-rootwrap /etc/neutron/rootwrap.conf
[nova]
$(auth nova)
[placement]
$(auth placement)
$(token neutron)
$quiet
END
cat > /etc/neutron/plugins/ml2/ml2_conf.ini <<END
[ml2]
type_drivers = local,flat
tenant_network_types = local
mechanism_drivers = linuxbridge
extension_drivers = port_security
[ml2_type_flat]
flat_networks = external
END
cat > /etc/neutron/plugins/ml2/linuxbridge_agent.ini <<END
[vxlan]
enable_vxlan = false
[securitygroup]
enable_security_group = false
firewall_driver = noop
END
cat > /etc/cinder/cinder.conf <<END
[DEFAULT]
$bus
my_ip = $address
auth_strategy = keystone
enabled_backends = paper
glance_api_servers = http://$address:9292
state_path = /var/lib/cinder
osapi_volume_workers = 1
[paper]
volume_driver = cinder_lab.PaperDriver
volume_backend_name = paper
[database]
connection = $(sql cinder cinder)
[oslo_concurrency]
lock_path = /var/lock/cinder
[service_user]
send_service_user_token = true
$(auth nova)
$(token cinder)
$quiet
END

say "keystone"
as() { runuser -u "$1" -- "${@:2}" >> /var/log/lab-set-up.log 2>&1; }
touch /var/log/lab-set-up.log && chmod 666 /var/log/lab-set-up.log
as keystone keystone-manage db_sync
keystone-manage fernet_setup --keystone-user keystone --keystone-group keystone
keystone-manage credential_setup --keystone-user keystone --keystone-group keystone
keystone-manage bootstrap --bootstrap-password $password --bootstrap-region-id RegionOne \
  --bootstrap-admin-url "http://$address:5000/v3/" --bootstrap-internal-url "http://$address:5000/v3/" \
  --bootstrap-public-url "http://$address:5000/v3/" >> /var/log/lab-set-up.log 2>&1
systemctl start keystone

say "the other databases"
as glance glance-manage db_sync &
as placement placement-manage db sync &
as neutron neutron-db-manage --config-file /etc/neutron/neutron.conf --config-file /etc/neutron/plugins/ml2/ml2_conf.ini upgrade heads &
as cinder cinder-manage db sync &
(
  as nova nova-manage api_db sync
  as nova nova-manage cell_v2 map_cell0 --database_connection "$(sql nova nova_cell0)"
  as nova nova-manage db sync
  as nova nova-manage cell_v2 create_cell --name cell1
) &
wait

say "users, services, endpoints"
cat > /root/openrc <<END
export OS_AUTH_URL=http://$address:5000 OS_USERNAME=admin OS_PASSWORD=$password OS_PROJECT_NAME=admin
export OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default OS_IDENTITY_API_VERSION=3 OS_REGION_NAME=RegionOne
END
. /root/openrc
python3 "$folder/catalog.py" "$address" $password
systemctl start glance-api placement-api nova-api neutron-api neutron-rpc-server cinder-api
systemctl start --no-block nova-conductor nova-scheduler nova-compute neutron-linuxbridge-agent cinder-scheduler cinder-volume

say "what a project has"
python3 "$folder/project.py" "$fixed" "$floating"
echo ready
