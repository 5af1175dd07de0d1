"""Inherited settings of a controller."""

from __future__ import annotations

from pdsno_cli.spec.defaults import Inheritance, setting_paths
from pdsno_cli.spec.topology import DEFAULT_HEARTBEAT, Credential, Details, SnmpKey, Traps

DEFAULTS = {
    "heartbeat": "5s",
    "discovery": {"interval": "30s", "snmp": {"timeout": "500ms", "retries": 3}},
    "roles": {"local": {"heartbeat": "10s"}},
}
REGIONS = {"office": {"discovery": {"interval": "1m"}}, "campus": None}


def test_heartbeat_is_that_of_the_strongest_layer():
    made = Inheritance(DEFAULTS, REGIONS)
    assert made.heartbeat({"heartbeat": "1s"}, "local", "office") == 1
    assert made.heartbeat({}, "local", "office") == 10
    assert made.heartbeat({}, "regional", "campus") == 5
    assert Inheritance({}, {}).heartbeat({}, "global", None) == DEFAULT_HEARTBEAT


def test_discovery_merges_mappings_key_by_key():
    made = Inheritance(DEFAULTS, REGIONS)
    found = made.discovery({"snmp": {"retries": 2}}, "local", "office")(("10.0.0.0/24",))
    assert (found.interval, found.targets) == (60, ("10.0.0.0/24",))
    assert (found.snmp.timeout, found.snmp.retries) == (0.5, 2)


def test_alike_controllers_share_their_settings():
    made = Inheritance(DEFAULTS, REGIONS)
    assert made.discovery({}, "local", "office") is made.discovery({}, "local", "office")
    assert made.discovery({}, "local", "office") is not made.discovery({}, "local", "campus")


def test_setting_paths_are_in_the_order_of_precedence():
    assert setting_paths("lc", "local", "office", ("heartbeat",)) == [
        ("controllers", "lc", "heartbeat"),
        ("regions", "office", "heartbeat"),
        ("defaults", "roles", "local", "heartbeat"),
        ("defaults", "heartbeat"),
    ]


def test_details_merge_by_key_and_are_switched_off_by_the_nearest_layer():
    defaults = {"discovery": {"snmp": {"details": {"interval": "5m", "forwarding": True}}}}
    made = Inheritance(defaults, {"office": {"discovery": {"snmp": {"details": False}}}})

    def details(own, region=None):
        return made.discovery({"snmp": own}, "local", region)(()).snmp.details

    assert details({}) == Details(interval=300.0, forwarding=True)
    assert details({"details": {"neighbours": False}}) == Details(
        interval=300.0, forwarding=True, neighbours=False
    )
    assert details({}, "office") is None
    assert details({"details": {"interval": "1m"}}, "office") == Details(interval=60.0)
    assert details({"details": True}, "office") == Details()


def test_credentials_are_inherited_as_a_whole():
    user = {"user": "monitor", "auth": {"protocol": "sha256", "password": "${A}"}}
    defaults = {"discovery": {"snmp": {"credentials": [user, {"name": "x", "community": "${C}"}]}}}
    region = {"office": {"discovery": {"snmp": {"community": "${R}"}}}}
    made = Inheritance(defaults, region)

    def snmp(own, region=None):
        return made.discovery({"snmp": own}, "local", region)(()).snmp

    declared = Credential(user="monitor", auth=SnmpKey(protocol="sha256", password="${A}"))
    found = snmp({"port": 1161})
    assert found.tried == (declared, Credential(name="x", community="${C}"))
    assert [found.label(n) for n in (0, 1)] == ["1", "x"]
    assert (found.community, found.communities) == ("${C}", ("${C}",))
    assert snmp({}, "office").tried == (Credential(community="${R}"),)
    assert snmp({}, "office").label(0) is None
    assert snmp({"community": "a", "credentials": [{"community": "b"}]}).communities == ("a", "b")
    assert snmp({"credentials": [{"community": "b"}]}, "office").communities == ("b",)


def test_traps_are_declared_by_a_port_and_switched_off_below():
    made = Inheritance({"discovery": {"snmp": {"traps": {"port": 1162}}}}, {})

    def traps(own):
        return made.discovery({"snmp": own}, "local", None)(()).snmp.traps

    assert traps({}) == Traps(port=1162)
    assert traps({"traps": False}) is None
    assert traps({"traps": True}) == traps({"traps": {}}) == Traps(port=162)
    assert Inheritance({}, {}).discovery({}, "local", None)(()).snmp.traps is None
