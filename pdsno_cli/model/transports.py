"""The registry of transports: the name of each, and where and when it is used.

Facts only, so that every layer can use them: the topology file, lint and the wiring derive from
here. The code that builds a transport is in ``runtime/``, imported when a chain uses it.
``docs/reliability.md`` explains how to add one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportFacts:
    """One transport that a fallback chain can name.

    ``name`` is its name in topology files, status and counts; ``module`` holds its ``TRANSPORT``
    (``runtime.transport_wiring.TransportFactory``). A transport is used ``between_processes``,
    ``within_process`` (where all controllers share one), or both; elsewhere it is passed over. One
    ``on_demand`` runs only while the best transport is lost, unless a class of topics prefers it.
    The ``last_resort`` comes last wherever the chain names it, and is used within one process even
    where no chain leaves anything else. One that ``needs_address`` is served by parents, on the
    ``address`` that they declare. One that ``needs_broker`` is lost with the topology's broker.
    """

    name: str
    module: str
    between_processes: bool = True
    within_process: bool = True
    on_demand: bool = False
    last_resort: bool = False
    needs_address: bool = False
    needs_broker: bool = False


TRANSPORTS = (
    TransportFacts(name="mqtt", module="pdsno_cli.runtime.mqtt_wiring", needs_broker=True),
    TransportFacts(
        name="http",
        module="pdsno_cli.runtime.http_wiring",
        within_process=False,  # every controller that it reaches is on the bus
        on_demand=True,
        needs_address=True,
    ),
    TransportFacts(
        name="bus",
        module="pdsno_cli.runtime.bus_wiring",
        between_processes=False,
        last_resort=True,
    ),
)

FACTS = {facts.name: facts for facts in TRANSPORTS}
DEFAULT_FALLBACKS = ("mqtt", "http", "bus")  # of a topology file that names none
