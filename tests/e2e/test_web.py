"""``pdsno web``: who may read it, its overview, and what becomes of plane and server meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import time
from urllib.parse import urlsplit

from .conftest import WAIT, until
from .served import browser as browser  # noqa: PLC0414 - fixtures shared by name
from .served import web as web  # noqa: PLC0414
from .test_heard import apart as apart  # noqa: PLC0414
from .test_mosquitto import mosquitto as mosquitto  # noqa: PLC0414


def test_nothing_is_read_without_the_token_of_the_run(site, web):
    site.write()
    served = web()
    for path in ("/", "/page.js", "/api/overview", "/nowhere"):
        status, headers, body = served.get(path, token=False)
        assert (status, headers["content-type"]) == (403, "text/plain; charset=utf-8")
        assert (
            body == "the token is missing or wrong: open the address that pdsno web has printed\n"
        )
        wrong = served.get(f"{path}?token={'0' * 32}", token=False)
        assert wrong[0] == 403
    assert served.get(f"/api/overview?token={served.token}", token=False)[0] == 200
    status, _, body = served.get("/", Host="evil.example")
    assert (status, body.count("\n"), body[:12]) == (403, 1, "unknown host")
    assert served.get("/", Host="localhost:1234")[0] == 200
    foreign = {"Sec-Fetch-Site": "same-site"}
    assert served.get("/api/overview", **foreign)[0] == 403
    assert served.get("/api/overview", method="POST")[0] == 405
    assert served.get("/api/overview?x=" + "y" * 3000)[0] == 414
    assert served.get("/nowhere")[0] == 404
    assert served.end() == (0, f"serving {site.root}; Ctrl-C ends\nended\n")


def test_a_browser_is_opened_with_a_code_that_works_once(site, web, tmp_path):
    site.write()
    seen = tmp_path / "seen"
    opener = tmp_path / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" > {seen}.part && mv {seen}.part {seen}\n')
    opener.chmod(0o755)
    served = web("--open", BROWSER=str(opener))
    until(seen.exists, "the browser is started")
    url = urlsplit(seen.read_text().strip())
    assert served.token not in url.query  # the arguments of processes are no secret
    path = f"/?{url.query}"
    assert served.get(f"/api/overview?{url.query}", token=False)[0] == 403
    connection = http.client.HTTPConnection(url.netloc, timeout=WAIT)
    connection.request("GET", path)
    first = connection.getresponse()
    assert (first.status, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"pdsno-web-{url.port}={served.token}; HttpOnly; ")
    assert cookie.endswith("SameSite=strict")
    connection.close()
    assert served.get(path, token=False)[0] == 403


def test_a_page_of_an_earlier_start_says_that_its_address_is_no_longer_valid(
    site, web, browser, free_port
):
    site.write()
    first = web("--listen", f"127.0.0.1:{free_port}")
    browser.go(first.url)
    browser.until("document.querySelectorAll('tbody tr').length === 4")
    assert first.end()[0] == 0
    again = web("--listen", f"127.0.0.1:{free_port}")
    browser.until("document.querySelector('#banner').innerText.includes('is no longer valid')")
    browser.go(again.url)
    browser.until("document.querySelector('#banner').innerText.includes('has no state on this')")


STRANGE = (
    b"GET /%ff%00?token=%ff%80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: \xff\xfe=;;;\x80\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
)


def test_strange_requests_are_refused_and_leave_no_word(site, web):
    site.write()
    served = web()
    port = urlsplit(served.url).port
    for request in STRANGE:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=WAIT) as line,
            contextlib.suppress(ConnectionError),  # it may close before all is sent
        ):
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            assert re.match(rb"HTTP/1.1 (403|400) |$", line.recv(1000)), request[:60]
    for path in (
        "/api/device?name=%ff%00",
        "/api/device?name=" + "9" * 1500,
        "/api/%2e%2e/page.js",
    ):
        assert served.get(path)[0] == 404
    assert served.get("/")[0] == 200
    assert served.end() == (0, f"serving {site.root}; Ctrl-C ends\nended\n")


def test_every_answer_has_the_policy_of_the_page(site, web):
    site.write()
    served = web()
    for path, token in (("/", True), ("/page.css", True), ("/api/overview", True), ("/", False)):
        _, headers, _ = served.get(path, token=token)
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    _, _, page = served.get("/")
    assert not re.search(r"https?:|//|<style|style=| on\w+=|<script>", page)


def test_a_mistake_in_the_call_is_one_line(site):
    site.write()
    for words, line in {
        ("nowhere",): "error: no file and no topology 'nowhere' on this machine: ",
        (str(site.file), "--listen", "8080"): "error: invalid --listen '8080': write HOST:PORT, ",
    }.items():
        done = site.ask("web", *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith(line)


def test_another_address_than_loopback_has_a_warning(site, web):
    site.write()
    served = web("--listen", "0.0.0.0:0")
    port = urlsplit(served.url).port
    status, _, _ = served.get("/api/overview", Host=f"127.0.0.1:{port}")
    assert status == 200
    code, err = served.end(signal.SIGTERM)
    assert code == 0
    assert err.startswith("warning: 0.0.0.0:0 is not loopback: whoever reaches it ")


def test_the_overview_is_the_status_of_the_command(site, web):
    site.write(interval="1h")
    run = site.up().ready()
    served = web()
    now, found = site.status(), served.document("/api/overview")
    assert found["format_version"] == 1
    assert (found["topology"], found["state"], found["trouble"]) == (site.root, "up", None)
    assert found["status"].keys() == now.keys()
    assert [row["id"] for row in found["status"]["controllers"]] == ["g1", "rc1", "lc1", "lc2"]
    run.interrupt()
    assert run.end() == 0
    until(lambda: served.document("/api/overview")["state"] == "stopped", "it is seen as stopped")
    stopped = served.document("/api/overview")
    assert (stopped["status"], stopped["why"][:24]) == (None, "this topology is not up ")
    assert stopped["since"] > stopped["seen_up"] - 1


def test_the_page_shows_the_controllers_and_that_the_plane_or_the_server_is_gone(
    site, web, browser
):
    site.write(interval="1h")
    run = site.up().ready()
    served = web()
    browser.go(served.url)
    browser.until("document.querySelectorAll('tbody tr').length === 4")
    assert browser.run("location.search") == ""  # the token is in a cookie that no script reads
    assert browser.run("document.cookie") == ""
    browser.until("document.querySelectorAll('tbody .pill.good').length === 4")
    assert browser.run("document.querySelector('#banner').textContent") == ""
    assert browser.run("document.title") == f"Overview · {site.root}"
    browser.click("input[type=search]")
    browser.type("lc2")
    browser.until("document.querySelector('tbody').textContent.startsWith('lc2')")
    assert browser.run("document.querySelectorAll('tbody tr').length") == 1
    run.interrupt()
    assert run.end() == 0
    banner = "document.querySelector('#banner').textContent"
    browser.until(f"{banner}.includes('is stopped since ')")
    assert browser.run("document.querySelector('section.old tbody tr') !== null")
    again = site.up().ready()
    browser.until(f"{banner} === ''")
    assert served.end() == (0, f"serving {site.root}; Ctrl-C ends\nended\n")
    browser.until(f"{banner}.startsWith('pdsno web does not answer since ')")
    again.interrupt()
    assert again.end() == 0


def test_a_frozen_supervisor_is_shown_and_holds_up_neither_pages_nor_the_end(site, web, browser):
    site.write(interval="1h")
    run = site.up().ready()
    run.wait_line("lc1: cycle 1 ")
    run.wait_line("lc2: cycle 1 ")
    until(lambda: len(site.devices()) == 6, "all devices at the top")
    served = web()
    browser.go(served.url)
    browser.until("document.querySelectorAll('tbody .pill.good').length === 4")
    os.kill(run.process.pid, signal.SIGSTOP)
    try:
        browser.until(
            "/supervisor (of .* )?does not answer/.test(document.querySelector('#banner').innerText)"
        )
        browser.run("location.hash = '#/devices'")
        browser.until("document.querySelectorAll('tbody tr').length === 6")
        began = time.monotonic()
        code, _ = served.end()
        assert (code, time.monotonic() - began < 20) == (0, True)  # its question waits for 30 s
    finally:
        os.kill(run.process.pid, signal.SIGCONT)
    run.interrupt()
    assert run.end() == 0


def test_a_controller_that_is_down_has_its_reason_beside_it(site, web, browser):
    site.write(interval="1h")
    run = site.up().ready()
    browser.go(web().url)
    browser.until("document.querySelectorAll('tbody .pill.good').length === 4")
    frozen = site.row("lc1")["pid"]
    os.kill(frozen, signal.SIGSTOP)
    try:
        row = "[...document.querySelectorAll('tbody tr')].find((row) => /^lc1/.test(row.innerText))"
        browser.until(
            f"{row}.querySelector('.pill.bad, .pill.warn') && {row}.innerText.includes('rc1 marks it down')"
        )
        assert browser.run("document.querySelector('#pill').textContent") == "degraded"
        assert "3/4" in browser.run("document.querySelector('.facts').innerText")
    finally:
        os.kill(frozen, signal.SIGCONT)
    browser.until("document.querySelectorAll('tbody .pill.good').length === 4")
    run.interrupt()
    assert run.end() == 0


def test_without_a_supervisor_the_page_shows_what_is_heard(apart, web, browser):
    served = web(state=apart.folder / "elsewhere")
    browser.go(served.url)
    browser.until("document.querySelectorAll('tbody .pill.good').length === 4")
    assert "heard over the broker" in browser.run("document.querySelector('#banner').innerText")
    assert browser.run("document.querySelector('#pill').textContent") == "heard"
    apart.alone["lc2"].process.kill()
    browser.until(
        "document.querySelector('tbody').innerText.includes('its connection broke (will)')"
    )
    browser.run("location.hash = '#/devices'")
    browser.until("document.querySelector('main').innerText.includes('was never up in')")
    code, err = served.end()
    assert code == 0
    assert err.count("no supervisor of") == 1  # not once a second


def test_a_plane_that_changes_and_is_removed_is_shown_as_it_is(site, web, browser):
    site.write(interval="1h")
    run = site.up("-d")
    assert run.end() == 0, run.lines
    served = web()
    browser.go(served.url)
    browser.until("document.querySelectorAll('tbody .pill.good').length === 4")
    half = site.file.read_text()
    lines = [line for line in half.splitlines() if not line.startswith("  lc2:")]
    site.file.write_text("\n".join(lines).replace("devices: 6", "devices: 3"))
    assert site.ask("up", str(site.file)).returncode == 0
    browser.until("document.querySelectorAll('tbody tr').length === 3")
    site.file.write_text("nonsense: [\n")
    browser.until("document.querySelector('#banner').textContent.includes('has findings')")
    site.file.write_text(half)
    browser.until("document.querySelector('#banner').textContent === ''")
    assert site.ask("down", str(site.file), "--volumes").returncode == 0
    browser.until("document.querySelector('#banner').textContent.includes('it was removed')")
