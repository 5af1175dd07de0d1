"""The pages of ``pdsno web`` beside the commands that show the same: devices, map, events."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest

from pdsno_cli.model.devices import Device
from pdsno_cli.nib.store import Store
from pdsno_cli.runtime.state_dir import StateDir
from tests.conftest import ONE_OF_EACH

from .conftest import until
from .served import browser as browser  # noqa: PLC0414 - fixtures shared by name
from .served import mapped as mapped  # noqa: PLC0414
from .served import web as web  # noqa: PLC0414


def test_a_plane_in_one_process_is_asked_over_its_bus(site, web):
    site.write(devices=24, snmp=24, interval="1h", details="true")
    run = site.up("--in-process").ready()
    for local in ("lc1", "lc2"):
        run.wait_line(f"{local}: cycle 1 ")
    switch = until(
        lambda: next(
            (d for d in site.devices() if (d["extra"] or {}).get("type") == "switch"), None
        ),
        "a switch",
    )
    served = web()
    asked = served.document(f"/api/device/ask?name={switch['addresses'][0]}", method="POST")
    assert asked["detail"]["interfaces"]


def test_devices_and_one_device_are_those_of_the_commands(mapped, web):
    served = web()
    listed = served.document("/api/devices")
    assert (listed["controller"], listed["left_out"]) == ("g1", 0)
    assert listed["devices"] == mapped.devices("--all")
    switch = next(d for d in listed["devices"] if d["extra"].get("type") == "switch")
    address = switch["addresses"][0]
    done = mapped.ask("device", address, str(mapped.file), "--json")
    shown, found = json.loads(done.stdout), served.document(f"/api/device?name={address}")
    for member in ("controller", "device", "evidence", "detail", "history"):
        assert found[member] == shown[member]
    assert found["links"]
    for link in found["links"]:
        other = served.document(
            f"/api/device?name={link['other']['address']}&local={link['other']['local']}"
        )
        ports = [(back["other_port"], back["other"]["address"]) for back in other["links"]]
        assert (link["port"], address) in ports
    status, _, body = served.get("/api/device?name=sw-nowhere")
    assert (status, json.loads(body)["error"][:23]) == (404, "no device 'sw-nowhere':")
    assert served.get("/api/device")[0] == 404
    etag = served.get("/api/devices")[1]["etag"]
    assert served.get("/api/devices", **{"If-None-Match": etag})[::2] == (304, "")


def test_a_device_is_found_by_search_and_its_neighbours_are_one_click_away(mapped, web, browser):
    browser.go(f"{web().url}#/devices")
    browser.until("document.querySelectorAll('tbody tr').length === 24")
    browser.click("input[type=search]")
    browser.type("SWITCH huawei")
    rows = "[...document.querySelectorAll('tbody tr')].map((row) => row.innerText)"
    browser.until(f"{rows}.length < 24 && {rows}.every((row) => /switch/.test(row))")
    browser.click("tbody a")
    tables = "[...document.querySelectorAll('section')].filter((one) => one.querySelector('h3')?.textContent === {!r})[0]"
    interfaces, neighbours = tables.format("Interfaces"), tables.format("Neighbours")
    browser.until("location.hash.startsWith('#/device/127.')")
    browser.until(f"{interfaces}?.querySelectorAll('tbody tr').length > 3")
    name = browser.run("document.querySelector('h2').textContent")
    assert "enterprise number 2011" in browser.run("document.querySelector('.list').innerText")
    other = browser.run(f"{neighbours}.querySelector('tbody a').textContent")
    browser.run(f"{neighbours}.querySelector('tbody a').click()")
    browser.until(f"document.querySelector('h2')?.textContent === {other!r}")
    back = f"[...{neighbours}.querySelectorAll('tbody a')].map((one) => one.textContent)"
    browser.until(f"{neighbours} && {back}.includes({name!r})")
    browser.run("history.back()")
    browser.run("history.back()")
    browser.until(f"{rows}.length < 24 && {rows}.every((row) => /switch/.test(row))")


def test_interfaces_that_are_at_the_local_controller_alone_are_asked_for(mapped, web, browser):
    switch = next(d for d in mapped.devices() if d["extra"].get("type") == "switch")
    address, local = switch["addresses"][0], switch["local_id"]
    served = web()
    whole = served.document(f"/api/device?name={address}")["detail"]["interfaces"]
    for path in mapped.state.rglob(f"{local}.db*"):
        path.rename(path.with_name(f"away-{path.name}"))
    brief = served.document(f"/api/device?name={address}")
    assert brief["brief"]
    assert "interfaces" not in brief["detail"]
    assert served.get(f"/api/device/ask?name={address}")[0] == 405  # an order is no GET
    asked = served.document(f"/api/device/ask?name={address}", method="POST")
    assert asked["detail"]["interfaces"] == whole
    browser.go(f"{served.url}#/device/{address}")
    names = "[...document.querySelectorAll('tbody .id')].map((cell) => cell.textContent)"
    used = next(item["name"] for item in whole if item.get("state") == "up")
    browser.until(f"{names}.includes({used!r})")


def test_interfaces_that_cannot_be_asked_for_are_a_sentence(mapped, web, browser):
    switch = next(d for d in mapped.devices() if d["extra"].get("type") == "switch")
    assert mapped.ask("down", str(mapped.file)).returncode == 0
    for path in mapped.state.rglob(f"{switch['local_id']}.db*"):
        path.unlink()
    browser.go(f"{web().url}#/device/{switch['addresses'][0]}")
    browser.until("document.body.innerText.includes('which cannot be asked: ')")
    assert "not up" in browser.run("document.body.innerText")


HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_name_that_is_markup_is_shown_as_text(mapped, web, browser):
    address = mapped.devices()[0]["addresses"][0]
    assert mapped.ask("lab", "rename", str(mapped.file), address, HOSTILE).returncode == 0
    assert mapped.ask("discover", str(mapped.file)).returncode == 0
    browser.go(f"{web().url}#/devices")
    browser.until(f"document.querySelector('tbody')?.innerText.includes({HOSTILE!r})")
    browser.go(browser.run("location.href").partition("#")[0] + f"#/device/{address}")
    browser.until(f"document.querySelector('h2')?.textContent === {HOSTILE!r}")
    browser.until(f"document.querySelector('ol.changes ins')?.textContent === {HOSTILE!r}")
    assert browser.run("document.querySelectorAll('img').length") == 0


def test_a_store_that_cannot_be_read_is_a_sentence_in_the_page(mapped, web, browser):
    served = web()
    browser.go(f"{served.url}#/devices")
    browser.until("document.querySelectorAll('tbody tr').length === 24")
    assert mapped.ask("down", str(mapped.file)).returncode == 0
    for path in mapped.state.rglob("*.db*"):
        path.unlink()
    (mapped.state / "stores" / "g1.db").write_bytes(b"no database" * 1000)
    until(lambda: served.get("/api/devices")[0] == 503, "it is read again")
    assert "g1.db" in json.loads(served.get("/api/devices")[2])["error"]
    browser.until("document.querySelector('.none').innerText.includes('g1.db')")
    (mapped.state / "stores" / "g1.db").unlink()
    until(lambda: "was never up" in served.get("/api/devices")[2], "there is no store")


def test_the_map_finds_folds_and_opens_a_device(mapped, web, browser):
    served = web()
    graph = json.loads(mapped.ask("graph", str(mapped.file), "--format", "json").stdout)
    browser.go(f"{served.url}#/map")
    browser.until("document.querySelectorAll('.box').length === 24")
    counts = f"24 devices, {len(graph['links'])} links"
    assert browser.run("document.querySelector('.note').textContent") == counts
    assert browser.run("document.querySelectorAll('path[data-cable]').length") == len(
        graph["links"]
    )
    switch = next(one for one in graph["devices"] if one["type"] == "switch")
    browser.click("input[type=search]")
    browser.type(switch["addresses"][0])
    browser.until("document.querySelectorAll('.box.hit').length >= 1")
    browser.press("Enter")  # shows it in the panel, with a link for the keyboard
    browser.until(
        "document.querySelector('aside h2 a')?.getAttribute('href').startsWith('#/device/')"
    )
    before = browser.run("document.querySelector('.scene').getAttribute('transform')")
    browser.click("button[aria-label='Zoom in']")
    assert browser.run("document.querySelector('.scene').getAttribute('transform')") != before
    browser.click("aside .close")
    browser.run("document.querySelector('.tools').querySelectorAll('button')[3].click()")  # Fit
    browser.click(".title")
    browser.until("document.querySelector('.region.folded') !== null")
    browser.click(".title")
    browser.until("document.querySelector('.region.folded') === null")
    browser.click(f".box[data-box='{switch['id']}'] .body")
    browser.until("location.hash.startsWith('#/device/127.')")
    browser.until(f"document.querySelector('h2')?.textContent === {switch['name']!r}")


def test_a_map_that_changes_waits_until_it_is_drawn_again(mapped, web, browser):
    browser.go(f"{web().url}#/map")
    browser.until("document.querySelectorAll('.box').length === 24")
    address = mapped.devices()[0]["addresses"][0]
    again = "document.querySelector('.tools button:last-child')"
    assert browser.run(f"{again}.hidden")
    assert mapped.ask("lab", "rename", str(mapped.file), address, HOSTILE).returncode == 0
    assert mapped.ask("discover", str(mapped.file)).returncode == 0
    browser.until(f"!{again}.hidden")
    browser.run(f"{again}.click()")
    drawn = "[...document.querySelectorAll('.box text')].map((one) => one.textContent)"
    browser.until(f"{drawn}.includes({HOSTILE[:17] + '…'!r})")
    assert browser.run("document.querySelectorAll('img').length") == 0


def test_a_map_without_a_store_is_a_sentence(site, web, browser):
    site.write()
    browser.go(f"{web().url}#/map")
    browser.until("document.querySelector('main').innerText.includes('no store of a regional')")


def test_events_come_live_and_start_again_with_another_store(site, web, browser):
    site.write(interval="1h")
    run = site.up().ready()
    served = web()
    until(lambda: served.document("/api/events")["events"], "an event")
    listed = served.document("/api/events")
    done = site.ask("events", str(site.file), "--json")
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert [{key: e[key] for key in shown[0]} for e in listed["events"]] == shown
    after = served.document(f"/api/events?after={listed['last']}")
    assert (after["events"], after["last"], after["reset"]) == ([], listed["last"], False)
    assert served.document(f"/api/events?after={listed['last'] + 99}")["reset"]
    for wrong in ("x", "-1", "9" * 30, "%C2%B2"):
        assert served.get(f"/api/events?after={wrong}")[0] == 404
    browser.go(f"{served.url}#/events")
    events = "[...document.querySelectorAll('tbody tr')].map((row) => row.innerText)"
    browser.until(f"{events}.length >= {len(shown)}")
    assert site.ask("restart", str(site.file), "lc2").returncode == 0
    browser.until(
        f"/controller_up[^]*lc2/.test({events}[0]) || {events}.some((one) => /lc2/.test(one))"
    )
    run.interrupt()
    assert run.end() == 0
    many = browser.run(f"{events}.length")
    assert many > 0
    (site.state / "stores" / "g1.db").rename(site.state / "away.db")
    for tail in ("-wal", "-shm"):
        (site.state / "stores" / f"g1.db{tail}").unlink(missing_ok=True)
    browser.until("document.querySelector('main').innerText.includes('which records the events')")


def hold(state: StateDir, devices: list[Device]) -> None:
    """Write the inventory of a global controller of ``ONE_OF_EACH``."""
    state.make()
    with Store.open(state.store("gc")) as store, store.transaction() as tx:
        tx.apply_changes(
            local_id="lc", region="r", new=devices, updated=(), inactive=(), snapshot=True, at=1.0
        )


def test_thousands_of_devices_are_paged_sorted_and_searched(site, web, browser):
    site.file.write_text(ONE_OF_EACH)
    hold(
        StateDir(site.state),
        [
            Device(
                device_id=f"ip:{n}",
                addresses=(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}",),
                protocols=("icmp",),
                sys_name=f"dev-{n}",
                extra={"type": "switch" if n % 2 else "router", "serial": f"S{n:05}"},
            )
            for n in range(8000)
        ],
    )
    browser.go(f"{web().url}#/devices")
    rows = "document.querySelectorAll('tbody tr').length"
    first = "document.querySelector('tbody tr').innerText"
    pager = "document.querySelector('.pager').innerText"
    browser.until(f"{rows} === 100 && {first}.startsWith('10.0.0.0')")
    assert "1 to 100 of 8,000" in browser.run(pager)
    browser.click(".pager button:nth-child(2)")
    browser.until(f"{first}.startsWith('10.0.0.100') && {pager}.includes('101 to 200 of 8,000')")
    browser.run("document.querySelectorAll('th button')[1].click()")  # by name
    browser.run("document.querySelectorAll('th button')[1].click()")
    browser.until(f"{first}.startsWith('10.0.31.63')")
    assert browser.run("document.querySelectorAll('th[aria-sort=descending]').length") == 1
    browser.click("input[type=search]")
    browser.type("s07998")  # a serial number, which no column shows
    browser.until(f"{rows} === 1 && {first}.startsWith('10.0.31.62')")
    browser.press("Tab")
    assert browser.run("document.activeElement.type") == "checkbox"


def test_a_store_that_is_locked_is_a_sentence(site, web):
    site.file.write_text(ONE_OF_EACH)
    state = StateDir(site.state)
    hold(state, [Device(device_id="ip:1", addresses=("10.0.0.1",), protocols=("icmp",))])
    served = web()
    assert len(served.document("/api/devices")["devices"]) == 1
    with contextlib.closing(sqlite3.connect(state.store("gc"), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        status, _, body = served.get("/api/events")
        assert status == 503
        assert json.loads(body)["error"].endswith("gc.db is in use by another process")
    assert served.document("/api/events")["events"] == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1600])
def test_no_page_is_wider_than_its_window(mapped, web, browser, width, dark):
    switch = next(d for d in mapped.devices() if d["extra"].get("type") == "switch")
    browser.size(width, 800)
    browser.dark(dark)
    browser.go(web().url)
    for name, ready in {
        "#/": "tbody tr",
        "#/devices": "tbody tr",
        f"#/device/{switch['addresses'][0]}": "tbody tr",
        "#/map": ".box",
        "#/events": "tbody tr",
    }.items():
        browser.run(f"location.hash = {name!r}")
        title = "document.querySelector('nav a[aria-current]').textContent"
        browser.until(f"{title} && document.querySelectorAll('main {ready}').length > 3")
        assert browser.run("document.documentElement.scrollWidth") <= width, name
        assert browser.run("document.querySelector('main').scrollWidth") <= width, name
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(16, 21, 27)") == dark
