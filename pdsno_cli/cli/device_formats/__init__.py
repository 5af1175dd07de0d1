"""The inventory as files of other tools: a format is one module and one entry here.

``pdsno_cli/cli/devices.py`` has the names of all, so that help and completion need not import them.

FORMATS["netbox"](rows, context)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pdsno_cli.cli.device_facts import Facts
from pdsno_cli.cli.device_formats import ansible, comma_separated, netbox, prometheus
from pdsno_cli.cli.device_formats.context import Context

Render = Callable[[Sequence[Facts], Context], str]

FORMATS: dict[str, Render] = {
    "csv": comma_separated.render,
    "ansible": ansible.render,
    "prometheus": prometheus.render,
    "netbox": netbox.render,
}
