"""A machine on which localhost is ``::1`` and nothing else; in namespaces of the test's own."""

from __future__ import annotations

import pytest

from tests.conftest import require, require_root
from tests.e2e.conftest import until

# A loopback and a table of hosts of its own; what is started next is in there, too.
INSIDE = 'mount --bind "$0" /etc/hosts && ip link set lo up && exec "$@"'


@pytest.mark.parametrize("listens", ["::1", "localhost"])
def test_controllers_connect_where_localhost_is_ipv6_alone(site, tmp_path, free_port, listens):
    require_root()
    hosts = tmp_path / "hosts"
    hosts.write_text("::1 localhost\n")
    prefix = (require("unshare"), "-m", "-n", "sh", "-c", INSIDE, str(hosts))
    script = tmp_path / "both.sh"
    # Broker and controllers share the namespaces: one starts the other.
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"user root\nlistener {free_port} {listens}\nallow_anonymous true\nlog_dest stderr\n"
    )
    script.write_text(f'{require("mosquitto")} -c {config} >/dev/null 2>&1 &\nexec "$@"\n')
    site.write(broker=f"{{host: localhost, port: {free_port}}}", lab=False, interval="1h")
    run = site.up(prefix=(*prefix, "sh", str(script)))
    run.ready()
    until(lambda: site.status()["well"], "all well")
    run.interrupt()
    assert run.end() == 0
