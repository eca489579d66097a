"""What a guest's cloud-init makes of the user data on standard input, as JSON: by its own code, not by ours."""

import json
import logging
import os
import sys
import tempfile

from cloudinit import handlers, helpers, safeyaml, user_data, util
from cloudinit.config.schema import SchemaValidationError, get_schema, validate_cloudconfig_schema
from cloudinit.distros import ug_util
from cloudinit.handlers.cloud_config import CloudConfigPartHandler


class DefaultUser:
    """The user that an image makes by itself."""

    def get_default_user(self):
        return {"name": "ubuntu", "lock_passwd": True, "shell": "/bin/bash", "groups": ["adm"]}


class Collector(handlers.Handler):
    """Keeps what is no cloud-config."""

    prefixes = ["#!", "#cloud-boothook", "#part-handler", "## template: jinja"]

    def __init__(self):
        handlers.Handler.__init__(self, "always", version=2)
        self.found = []

    def handle_part(self, data, ctype, filename, payload, frequency):
        if ctype not in handlers.CONTENT_SIGNALS:
            self.found.append([ctype, payload if isinstance(payload, str) else payload.decode("latin1")])


def collect(blob, folder):
    paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder, "templates_dir": folder})
    os.makedirs(paths.get_ipath_cur("data") or folder, exist_ok=True)
    message = user_data.UserDataProcessor(paths).process(blob)
    config_file = os.path.join(folder, "config.txt")
    config = CloudConfigPartHandler(paths)
    config.cloud_fn = config_file
    collector = Collector()
    registered = helpers.ContentHandlers()
    for handler in (config, collector):
        registered.register(handler)
        handlers.call_begin(handler, None, "always")
    data = {
        "handlers": registered,
        "handlerdir": folder,
        "data": None,
        "frequency": "always",
        "handlercount": 0,
        "excluded": [],
    }
    handlers.walk(message, handlers.walker_callback, data=data)
    for handler in (config, collector):
        handlers.call_end(handler, None, "always")
    text = util.load_file(config_file) if os.path.exists(config_file) else "{}"
    return safeyaml.load(text) or {}, collector.found


def complaint_about(config):
    try:
        validate_cloudconfig_schema(config, get_schema(), strict=True)
    except SchemaValidationError as error:
        return str(error)
    return None


class Warnings(logging.Handler):
    def __init__(self):
        logging.Handler.__init__(self, logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


warnings = Warnings()
logging.getLogger().addHandler(warnings)
with tempfile.TemporaryDirectory() as folder:
    config, others = collect(util.decomp_gzip(sys.stdin.buffer.read(), quiet=True, decode=False), folder)
complaint = complaint_about(json.loads(json.dumps(config)))
users, _ = ug_util.normalize_users_groups(json.loads(json.dumps(config)), DefaultUser())
json.dump({"config": config, "others": others, "complaint": complaint, "users": users, "warnings": warnings.texts}, sys.stdout)
