"""Users of the services, a user and a project of the tests, and the catalog. Told: the host's address, the one password."""

import sys
import time

import openstack

address, password = sys.argv[1:]
cloud = None
for _ in range(60):
    try:
        cloud = openstack.connect()
        cloud.authorize()
        break
    except Exception:
        time.sleep(2)
identity = cloud.identity

domain = identity.find_domain("Default")
service = identity.create_project(name="service", domain_id=domain.id)
admin = identity.find_role("admin")
for name in ("glance", "placement", "nova", "neutron", "cinder"):
    user = identity.create_user(name=name, password=password, domain_id=domain.id)
    identity.assign_project_role_to_user(service, user, admin)
    role = identity.find_role("service") or identity.create_role(name="service")
    identity.assign_project_role_to_user(service, user, role)

project = identity.create_project(name="web-team", domain_id=domain.id)
alice = identity.create_user(name="alice", password="correct-horse-battery", domain_id=domain.id)
identity.assign_project_role_to_user(project, alice, identity.find_role("member"))

for name, kind, url in (
    ("glance", "image", "http://%s:9292"),
    ("placement", "placement", "http://%s:8778"),
    ("nova", "compute", "http://%s:8774/v2.1"),
    ("neutron", "network", "http://%s:9696"),
    ("cinder", "volumev3", "http://%s:8776/v3/%%(project_id)s"),
):
    entry = identity.create_service(name=name, type=kind)
    for interface in ("public", "internal", "admin"):
        identity.create_endpoint(service_id=entry.id, interface=interface, region_id="RegionOne", url=url % address)
