"""
moto's EC2 for the tests of amazonec2, with what moto lacks: client tokens, the public parameters of images, and faults on
demand. moto comes from Debian's packages, unpacked by scripts/moto-packages.sh; PYTHONPATH leads to them.

Prints the port it listens on. Beside AWS's APIs it answers:
  POST /lab/faults    a list of faults, each for the next `times` requests of `action`, or dry runs where it has "dry": true:
                      {"action", "times", "error": {"status", "code", "message"}}  refused, nothing done
                      {"action", "times", "lost": true}                           done, and answered by a bare 504
                      {"action", "times", "cut": true}                            the connection ends, nothing done
                      {"action", "times", "doubled": true}                        done twice, as the network repeats
  POST /lab/hardware  {"url"}: after each request that changes instances, what is to be of them is posted there, as a list of
                      {"id", "isOn", "userData", "reboots"}, and answered by the public address of each, by id
  POST /lab/interrupt {"id", "behaviour"}: takes a spot instance back, by "terminate" or "stop", as AWS does when it needs the room
  POST /lab/pace      {"pendingSeconds", "limited"}: how long an instance is pending, and whether requests are counted as AWS
                      counts them, and refused beyond that
  GET /lab/requests   the requests of EC2 since the last reset, in order: {"action", "params", "at", "limited"}
  POST /lab/reset     forgets resources, faults, requests and tokens
"""
import base64
import io
import json
import os
import socket
import sys
import threading
import time
import urllib.request
from urllib.parse import parse_qs

for name in ("MOTO_ENABLE_AMI_VALIDATION", "MOTO_ENABLE_KEYPAIR_VALIDATION", "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"):
    os.environ[name] = "true"
os.environ["MOTO_AMIS_PATH"] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "images.json")

import logging  # noqa: E402

logging.getLogger("werkzeug").setLevel(logging.ERROR)

from moto.ec2.models import ec2_backends  # noqa: E402
from moto.ec2.models.instances import StateReason  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

PARAMETERS = {
    "/aws/service/canonical/ubuntu/server/26.04/stable/current/amd64/hvm/ebs-gp3/ami-id": "ami-0a000000000002604",
    "/aws/service/canonical/ubuntu/server/26.04/stable/current/arm64/hvm/ebs-gp3/ami-id": "ami-0b000000000002604",
    "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id": "ami-0a000000000002404",
}


CHANGES = {"RunInstances", "StartInstances", "StopInstances", "RebootInstances", "TerminateInstances"}


def bucket_of(action, params):
    """
    Tokens and their refill by the second: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html. Questions
    for everything, neither filtered nor in pages, have fewer.
    """
    if action in ("RunInstances", "StartInstances"):
        return 5, 2
    if not action.startswith("Describe"):
        return 50, 5
    return (100, 20) if any(name.startswith(("Filter.", "MaxResults")) for name in params) else (50, 10)


def all_instances():
    return [
        instance
        for regions in ec2_backends.values()
        for backend in regions.values()
        for reservation in backend.reservations.values()
        for instance in reservation.instances
    ]


def text_of(user_data):
    """moto keeps it as it was sent, in a list."""
    data = user_data[0] if isinstance(user_data, list) else user_data
    return base64.b64decode(data).decode() if data else ""


def xml_error(code, message):
    return (
        f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        "<RequestID>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestID></Response>"
    ).encode()


class Lab:
    def __init__(self, moto):
        self.moto = moto
        # One request at a time: what a test sees is what happened in order.
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.faults, self.requests, self.tokens, self.reboots = [], [], {}, {}
        self.hardware, self.pending_seconds, self.limited = None, 0, False
        self.pending, self.buckets = {}, {}

    def __call__(self, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        with self.lock:
            status, headers, answer = self.answer(environ, body)
        start_response(status, headers)
        return [answer]

    def answer(self, environ, body):
        path = environ.get("PATH_INFO", "")
        if path == "/lab/faults":
            self.faults = json.loads(body)
            return self.plain(b"")
        if path == "/lab/hardware":
            self.hardware = json.loads(body)["url"]
            return self.plain(b"")
        if path == "/lab/interrupt":
            return self.interrupt(**json.loads(body))
        if path == "/lab/pace":
            pace = json.loads(body)
            self.pending_seconds, self.limited = pace.get("pendingSeconds", 0), pace.get("limited", False)
            return self.plain(b"")
        if path == "/lab/requests":
            return self.plain(json.dumps(self.requests).encode())
        if path == "/lab/reset":
            self.reset()
            return self.pass_on({**environ, "PATH_INFO": "/moto-api/reset"}, b"")
        if environ.get("HTTP_X_AMZ_TARGET") == "AmazonSSM.GetParameters":
            return self.parameters(json.loads(body))
        params = {name: values[0] for name, values in parse_qs(body.decode("utf8", "replace"), keep_blank_values=True).items()}
        if "Action" not in params:
            return self.pass_on(environ, body)
        return self.ec2(environ, body, params)

    def ec2(self, environ, body, params):
        action, is_dry = params["Action"], params.get("DryRun") == "true"
        is_over = self.limited and not self.has_token(action, params)
        self.requests.append({"action": action, "params": params, "at": time.time(), "limited": is_over})
        if is_over:
            return "503 Error", [("Content-Type", "text/xml")], xml_error("RequestLimitExceeded", "Request limit exceeded.")
        self.let_time_pass()
        fault = self.next_fault(action, is_dry)
        if fault and fault.get("cut"):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return self.plain(b"")
        if fault and "error" in fault:
            error = fault["error"]
            return f"{error['status']} Error", [("Content-Type", "text/xml")], xml_error(error["code"], error["message"])
        answer = self.idempotent(environ, body, params)
        if fault and fault.get("doubled"):
            answer = self.idempotent(environ, body, params)
        if action == "RunInstances" and answer[0].startswith("200"):
            self.keep_pending()
        if self.hardware and not is_dry and action in CHANGES and answer[0].startswith("200"):
            self.run_hardware(params)
        if fault and fault.get("lost"):
            return "504 Gateway Timeout", [("Content-Type", "text/plain")], b""
        return answer

    def run_hardware(self, params):
        """What moto has in memory comes to be, and the addresses are those of what came to be."""
        if params["Action"] == "RebootInstances":
            self.reboots[params["InstanceId.1"]] = self.reboots.get(params["InstanceId.1"], 0) + 1
        instances = {instance.id: instance for instance in all_instances() if instance._state.name != "terminated"}
        machines = [
            {
                "id": id,
                "isOn": instance._state.name in ("pending", "running"),
                "userData": text_of(instance.user_data),
                "reboots": self.reboots.get(id, 0),
            }
            for id, instance in instances.items()
        ]
        request = urllib.request.Request(self.hardware, json.dumps(machines).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=120) as answer:
            for id, address in json.load(answer).items():
                if instances[id].nics[0].public_ip:
                    instances[id].nics[0].public_ip = address

    def has_token(self, action, params):
        """Each kind of request has a bucket of its own; an empty one is refilled by the second."""
        size, refill = bucket_of(action, params)
        left, since = self.buckets.get(action, (size, time.time()))
        now = time.time()
        left = min(size, left + (now - since) * refill)
        self.buckets[action] = (left - 1 if left >= 1 else left, now)
        return left >= 1

    def keep_pending(self):
        if self.pending_seconds == 0:
            return
        for instance in all_instances():
            if instance.id not in self.pending:
                self.pending[instance.id] = time.time() + self.pending_seconds
                instance._state.name, instance._state.code = "pending", 0

    def let_time_pass(self):
        for instance in all_instances():
            if instance._state.name == "pending" and self.pending.get(instance.id, 0) <= time.time():
                instance._state.name, instance._state.code = "running", 16

    def interrupt(self, id, behaviour):
        state, number, reason = {
            "terminate": ("terminated", 48, "Server.SpotInstanceTermination"),
            "stop": ("stopped", 80, "Server.SpotInstanceShutdown"),
        }[behaviour]
        [instance] = [instance for instance in all_instances() if instance.id == id]
        instance._state.name, instance._state.code = state, number
        instance._state_reason = StateReason(f"{reason}: Spot instance interruption", reason)
        if behaviour == "terminate":
            instance.teardown_defaults()
        return self.plain(b"")

    def next_fault(self, action, is_dry):
        for fault in self.faults:
            if fault["action"] == action and fault.get("dry", False) == is_dry and fault.get("times", 1) > 0:
                fault["times"] = fault.get("times", 1) - 1
                return fault
        return None

    def idempotent(self, environ, body, params):
        """As AWS documents ClientToken: the same request has the same answer, another one is refused."""
        token = params.get("ClientToken")
        if token is None or params.get("DryRun") == "true":
            return self.pass_on(environ, body)
        if token in self.tokens:
            known, answer = self.tokens[token]
            if known == params:
                return answer
            message = "The token was used with other parameters"
            return "400 Bad Request", [("Content-Type", "text/xml")], xml_error("IdempotentParameterMismatch", message)
        answer = self.pass_on(environ, body)
        if answer[0].startswith("200"):
            self.tokens[token] = (params, answer)
        return answer

    def parameters(self, wanted):
        names = wanted["Names"]
        found = [{"Name": name, "Type": "String", "Value": PARAMETERS[name], "Version": 1} for name in names if name in PARAMETERS]
        answer = {"Parameters": found, "InvalidParameters": [name for name in names if name not in PARAMETERS]}
        return "200 OK", [("Content-Type", "application/x-amz-json-1.1")], json.dumps(answer).encode()

    def pass_on(self, environ, body):
        seen = {}

        def start_response(status, headers, exc_info=None):
            seen["status"], seen["headers"] = status, headers

        copy = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answer = b"".join(self.moto(copy, start_response))
        return seen["status"], seen["headers"], answer

    @staticmethod
    def plain(answer):
        return "200 OK", [("Content-Type", "application/json")], answer


server = make_server("127.0.0.1", 0, Lab(DomainDispatcherApplication(create_backend_app)), threaded=True)
print(server.port, flush=True)
# Ends with whoever started it.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.serve_forever()
