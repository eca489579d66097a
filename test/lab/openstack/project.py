"""Flavors, an image, networks and a router, once the services answer and a host can carry servers."""

import io
import sys
import time

import openstack

fixed, floating = sys.argv[1:]


def pool(beginning):
    return [{"start": beginning + ".10", "end": beginning + ".60"}]


def until(what, ask):
    for _ in range(150):
        try:
            found = ask()
            if found:
                return found
        except Exception as error:
            problem = error
        time.sleep(2)
    raise SystemExit("%s did not come about: %s" % (what, locals().get("problem")))


cloud = openstack.connect()
until("compute", lambda: [each for each in cloud.compute.services() if each.binary == "nova-compute" and each.state == "up"])
until("network", lambda: [each for each in cloud.network.agents() if each.is_alive])
until("room for volumes", lambda: list(cloud.block_storage.backend_pools()))

cloud.compute.create_flavor(name="m1.small", flavorid="2", vcpus=1, ram=512, disk=4)
cloud.compute.create_flavor(name="m1.huge", flavorid="9", vcpus=1, ram=9_000_000, disk=4)
cloud.image.create_image(
    name="debian-12-x86_64", disk_format="raw", container_format="bare", visibility="public",
    data=io.BytesIO(b"an image").read(), architecture="x86_64", validate_checksum=False,
)
cloud.block_storage.create_type(name="paper", extra_specs={"volume_backend_name": "paper"})

private = cloud.network.create_network(name="private", shared=True)
subnet = cloud.network.create_subnet(
    network_id=private.id, ip_version=4, cidr=fixed + ".0/24", allocation_pools=pool(fixed),
)
public = cloud.network.create_network(
    name="public", is_router_external=True, provider_network_type="flat", provider_physical_network="external",
)
cloud.network.create_subnet(
    network_id=public.id, ip_version=4, cidr=floating + ".0/24", allocation_pools=pool(floating), enable_dhcp=False,
)
router = cloud.network.create_router(name="way-out", external_gateway_info={"network_id": public.id})
cloud.network.add_interface_to_router(router, subnet_id=subnet.id)

until("a host for servers", lambda: list(cloud.compute.hypervisors()))
