from __future__ import annotations

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import OperationError
from pdsno_cli.runtime.own_address import own_addresses
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.supervisor.partition import Partition
from tests.conftest import in_namespace

TOPOLOGY = """\
name: t
broker: {broker}
fallbacks: [mqtt]
regions: {{r: {{}}}}
controllers:
  gc: {{role: global}}
  rc: {{role: regional, region: r}}
  lc: {{role: local, region: r, discovery: {{targets: [127.66.0.1]}}}}
"""


@pytest.fixture
def play(tmp_path):
    """Run code with the links of two state directories, as ``partition`` and ``others``, in a namespace."""
    file = tmp_path / "t.yaml"
    file.write_text(TOPOLOGY.format(broker="{embedded: true}"))
    head = f"""
import json, os
from pathlib import Path
from pdsno_cli.lint.engine import require
from pdsno_cli.runtime.own_address import own_addresses
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.supervisor.partition import Partition
from pdsno_cli.system.local_routes import block, blocked
said = []
def make(name):
    return Partition(own_addresses(require("{file}"), StateDir(Path("{tmp_path}") / name)), said.append)
partition, others = make("state"), make("other")
def count():
    return len(blocked("blackhole"))
"""
    return lambda code, **kwargs: in_namespace(head + code, **kwargs)


def test_cut_and_mend_are_of_one_controller(play):
    code = """
partition.cut("lc"), partition.cut("rc")
before = count()
partition.mend("rc"), partition.mend("rc")
print(json.dumps([before, count(), said]))
"""
    assert play(code) == [2, 1, []]


def test_what_a_killed_run_left_cut_is_mended_by_the_next_run_of_that_directory_alone(play):
    code = """
if os.fork() == 0:
    partition.cut("lc"), partition.cut("gc")
    os._exit(1)
os.wait()
block("blackhole", "127.9.9.9")
counts = [count()]
for later in (make("other"), make("state"), make("state")):
    later.mend_all()
    counts.append(count())
print(json.dumps([counts, said]))
"""
    assert play(code) == [[3, 3, 1, 1], []]


def test_a_link_that_stays_cut_is_named(play):
    code = """
from pdsno_cli.system import local_routes
partition.cut("lc")
run = local_routes._ip
def refusing(*words):
    return ("", "Operation not permitted") if "del" in words else run(*words)
local_routes._ip = refusing
partition.mend_all()
print(json.dumps(said))
"""
    assert play(code) == ["the link of lc stays cut: Operation not permitted"]


def test_without_the_privilege_a_cut_is_refused_in_one_sentence(play):
    code = """
try:
    partition.cut("lc")
except Exception as exc:
    print(json.dumps([str(exc), count()]))
"""
    said, cut = play(code, without="-net_admin")
    assert cut == 0
    assert said == (
        "the link of lc cannot be cut: needs CAP_NET_ADMIN and iproute2 "
        "(RTNETLINK answers: Operation not permitted)"
    )


def test_controller_without_an_address_of_its_own_cannot_be_cut_off(tmp_path):
    file = tmp_path / "t.yaml"
    file.write_text(TOPOLOGY.format(broker="{host: broker.example.net}"))
    partition = Partition(own_addresses(require(str(file)), StateDir(tmp_path)), lambda _: None)
    with pytest.raises(OperationError, match="lc has no loopback address of its own"):
        partition.cut("lc")
    partition.mend_all()
