"""Prints the broker of a run, and what it publishes about itself: ``pdsno status --broker``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pdsno_cli.cli import console
from pdsno_cli.cli.table import table

if TYPE_CHECKING:
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


def show_broker(
    report: dict[str, Any], topology: Topology, state: StateDir, *, as_json: bool
) -> None:
    """Print the broker of a status report, with its statistics."""
    from pdsno_cli.client.broker_statistics import BrokerStatistics, broker_statistics
    from pdsno_cli.client.doctor.subject import Subject
    from pdsno_cli.model.errors import BrokerError

    subject = Subject(topology=topology, state=state)
    if subject.access is None:
        found = BrokerStatistics(measures={}, missing=subject.no_broker)
    else:
        try:
            found = broker_statistics(topology, subject.access)
        except BrokerError as exc:
            found = BrokerStatistics(measures={}, missing=str(exc))
    if as_json:
        members = {name: value for name, value in report.items() if name != "controllers"}
        document = members | {"statistics": dict(found.measures) or None, "missing": found.missing}
        console.data(json.dumps(document, indent=2))
        return
    # A broker that does not speak has its reason in place of the table.
    console.data(f"{report['topology']}: {report['broker']}")
    if found.missing is not None:
        console.data(f"no statistics: {found.missing}")
    else:
        console.data(table(("measure", "value"), [*found.measures.items()]))
