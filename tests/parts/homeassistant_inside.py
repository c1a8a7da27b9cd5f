"""Run by the Python of an environment with Home Assistant: its discovery schemas, or its core with its MQTT alone.

schemas           a JSON object, topic → message, on stdin; what each topic and message is to Home Assistant, on stdout
core PORT FOLDER  the core, with the MQTT integration on a broker at this port, until stdin ends: a line of JSON
                  [entity, state or null, attributes or null] on stdout for each change
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

from homeassistant import bootstrap, config_entries, core, loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.components.mqtt import event, sensor
from homeassistant.components.mqtt.discovery import TOPIC_MATCHER
from homeassistant.components.mqtt.mixins import MQTT_ORIGIN_INFO_SCHEMA
from homeassistant.const import __version__
from homeassistant.helpers.template import Template

SCHEMAS = {"sensor": sensor.DISCOVERY_SCHEMA, "event": event.DISCOVERY_SCHEMA}


def schemas() -> None:
    """Each message through its own schema; what does not pass ends it with Home Assistant's words."""
    found = {}
    for topic, message in json.load(sys.stdin).items():
        prefix, _, rest = topic.partition("/")
        match = TOPIC_MATCHER.match(rest)
        assert match, topic
        MQTT_ORIGIN_INFO_SCHEMA(json.loads(message)["origin"])
        # As discovery does it: `platform` is added, and what the schema does not know is taken away.
        passed = SCHEMAS[match["component"]](json.loads(message) | {"platform": "mqtt"})
        found[topic] = {"prefix": prefix, "passed": passed, "node": match["node_id"], "object": match["object_id"]}
    plain = {"version": __version__, "found": found}
    json.dump(plain, sys.stdout, default=lambda one: one.template if isinstance(one, Template) else str(one))


async def run(port: int, folder: Path) -> None:
    """The core until stdin ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        web = free.getsockname()[1]
    (folder / "configuration.yaml").write_text(f"http:\n  server_host: 127.0.0.1\n  server_port: {web}\n")
    hass = core.HomeAssistant(str(folder))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth_manager_from_config(hass, [], [])

    def changed(happened: Any) -> None:
        new = happened.data["new_state"]
        said = (None, None) if new is None else (new.state, dict(new.attributes))
        print(json.dumps([happened.data["entity_id"], *said], default=str), flush=True)

    hass.bus.async_listen("state_changed", core.callback(changed))
    broker = {"broker": "127.0.0.1", "port": port, "discovery": True, "discovery_prefix": "homeassistant"}
    entry = config_entries.ConfigEntry(
        version=1, minor_version=1, domain="mqtt", title="mqtt", data=broker, source="user"
    )
    await hass.config_entries.async_add(entry)
    await hass.async_start()
    print(json.dumps(["started", str(entry.state.value), {}]), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await hass.async_stop()


if __name__ == "__main__":
    if sys.argv[1] == "schemas":
        schemas()
    else:
        asyncio.run(run(int(sys.argv[2]), Path(sys.argv[3])))
