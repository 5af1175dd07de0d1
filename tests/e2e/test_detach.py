"""``pdsno up -d``: what cannot be handed over is refused, and an interrupt leaves nothing."""

from __future__ import annotations

import socket

from .conftest import WAIT


def test_detach_and_cycles_cannot_be_combined(site):
    site.write()
    done = site.ask("up", str(site.file), "-d", "--cycles", "1")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --detach and --cycles cannot be combined")
    assert done.stderr.count("\n") == 1
    assert not site.state.exists()


def test_detach_cannot_hand_standard_input_over(site):
    done = site.ask("up", "-", "-d")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --detach cannot be combined with -")
    assert done.stderr.count("\n") == 1
    assert not site.state.exists()


def test_ctrl_c_before_it_is_ready_ends_the_run(site):
    with socket.create_server(("127.0.0.1", 0)) as mute:  # a broker that never answers
        mute.settimeout(WAIT)
        port = mute.getsockname()[1]
        site.write(broker=f"{{embedded: false, host: 127.0.0.1, port: {port}}}")
        run = site.up("-d")
        with mute.accept()[0]:
            assert len(run.members()) >= 2
            run.interrupt()
            assert run.end() == 130
    assert run.members() == []
