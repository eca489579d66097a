"""Nova's fake hypervisor with hosts of the lab for its servers: tells the lab of all it has, and waits until they are so."""

import base64
import json
import os
import threading
import urllib.request

from nova.virt import fake

lab = os.environ.get("LAB_HARDWARE")


class LabDriver(fake.FakeDriver):
    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        self._machines = {}
        self._telling = threading.Lock()

    def _tell(self, uuid, **changes):
        with self._telling:
            self._machines[uuid].update(changes)
            self._post()

    def _post(self):
        body = json.dumps(list(self._machines.values())).encode()
        urllib.request.urlopen(lab, body, timeout=300).read()

    def spawn(self, context, instance, image_meta, injected_files, admin_password, allocations, network_info=None, **rest):
        super().spawn(context, instance, image_meta, injected_files, admin_password, allocations, network_info, **rest)
        user_data = base64.b64decode(instance.user_data or "").decode()
        self._machines[instance.uuid] = {"id": instance.uuid, "userData": user_data, "reboots": 0}
        self._tell(instance.uuid, isOn=True, address=address_in(network_info))

    def power_on(self, context, instance, network_info, *rest, **more):
        super().power_on(context, instance, network_info, *rest, **more)
        self._tell(instance.uuid, isOn=True, address=address_in(network_info))

    def power_off(self, instance, timeout=0, retry_interval=0):
        super().power_off(instance, timeout, retry_interval)
        self._tell(instance.uuid, isOn=False)

    def reboot(self, context, instance, network_info, reboot_type, *rest, **more):
        self._tell(instance.uuid, reboots=self._machines[instance.uuid]["reboots"] + 1)

    def destroy(self, context, instance, *rest, **more):
        super().destroy(context, instance, *rest, **more)
        with self._telling:
            if self._machines.pop(instance.uuid, None) is not None:
                self._post()


def address_in(network_info):
    """The first one of the first port."""
    for port in network_info or []:
        for address in port.fixed_ips():
            return address["address"]
    return None
