"""Which transports a controller gets: from the topology's chains, the registry and what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pdsno_cli.delivery.live_topology import LiveTopology
from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.bus import Bus
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.transports import DEFAULT_FALLBACKS, FACTS
from pdsno_cli.runtime.broker_access import broker_access
from pdsno_cli.runtime.failover_wiring import failover_transport
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.runtime.transport_wiring import factory
from tests.conftest import ONE_OF_EACH

KEY = bytes(32)


@pytest.fixture
def topology(tmp_path):
    file = tmp_path / "topology.yaml"
    file.write_text(ONE_OF_EACH)
    return require(str(file))


def links(topology, tmp_path, **changes):
    """Return the names of the links of a process of its own, best first, and of those on demand."""
    made = failover_transport(
        "rc", 1,
        live=LiveTopology(replace(topology, **changes)), key=KEY,
        access=broker_access(topology, embedded_port=1), state=StateDir(tmp_path / "state"),
    )  # fmt: skip
    return list(made._transports), list(made._on_demand)


def shared_links(topology, *, broker=True, **changes):
    """Return the names of the links of a controller that shares its process, best first."""
    access = broker_access(topology, embedded_port=1) if broker else None
    made = failover_transport(
        "rc", 1, live=LiveTopology(replace(topology, **changes)), key=KEY, access=access, bus=Bus()
    )
    return list(made._transports)


def test_every_transport_of_the_registry_has_a_factory():
    assert set(DEFAULT_FALLBACKS) <= set(FACTS)
    for facts in FACTS.values():
        factory(facts).preload()


def test_a_process_of_its_own_passes_the_bus_over_and_has_http_on_demand(topology, tmp_path):
    assert links(topology, tmp_path) == (["mqtt", "http"], ["http"])
    assert links(topology, tmp_path, fallbacks=("http", "mqtt")) == (["http", "mqtt"], [])
    assert links(topology, tmp_path, fallbacks=("mqtt",)) == (["mqtt"], [])


def test_a_class_that_prefers_http_has_it_run_from_the_start(topology, tmp_path):
    changes = {"fallbacks": ("mqtt",), "class_fallbacks": {"discovery": ("http", "mqtt")}}
    assert links(topology, tmp_path, **changes) == (["mqtt", "http"], [])


def test_a_shared_process_has_the_bus_last_and_where_nothing_else_is_left(topology):
    assert shared_links(topology) == ["mqtt", "bus"]
    assert shared_links(topology, fallbacks=("bus", "mqtt")) == ["mqtt", "bus"]
    assert shared_links(topology, fallbacks=("mqtt",)) == ["mqtt"]
    assert shared_links(topology, fallbacks=("mqtt",), broker=False) == ["bus"]
    assert shared_links(topology, fallbacks=("http",)) == ["bus"]


def test_an_unknown_transport_fails_at_the_start_with_the_names_that_are_known(topology, tmp_path):
    with pytest.raises(OperationError, match=r"^fallbacks: 'pigeon' is not a transport \(known: mqtt, http, bus\)$"):  # fmt: skip
        links(topology, tmp_path, class_fallbacks={"events": ("mqtt", "pigeon")})


def test_a_chain_that_leaves_nothing_fails_at_the_start(topology, tmp_path):
    with pytest.raises(
        OperationError, match=r"^fallbacks: nothing of bus works between processes$"
    ):
        links(topology, tmp_path, fallbacks=("bus",))
