"""Drawings of a network, read back by Graphviz and by a browser."""

from __future__ import annotations

import html
import json
import re
import subprocess

import pytest

from pdsno_cli.render.network import Box, Cable, Network
from pdsno_cli.render.network_drawing import FORMATS, draw_network
from tests.conftest import require

HOSTILE = "</script><b>\"x\"\\ #1 & 'y' \u2028 {{ 7*7 }} ${1}"


def cable(box, other, *, confirmed=True, port="Gi0/1", other_port="uplink"):
    return Cable(
        box=box, port=port, other=other, other_port=other_port,
        evidence="LLDP at both ends", confirmed=confirmed,
    )  # fmt: skip


NETWORK = Network(
    title=HOSTILE,
    boxes=(
        Box(name="core", kind="router", region="north", facts=(("addresses", "10.0.0.1"),)),
        Box(
            name=HOSTILE,
            kind="switch",
            region="north",
            addresses=("10.0.0.9", "10.9.9.9"),
            macs=("02:00:00:00:00:09",),
            facts=(("addresses", "10.0.0.9 and 1 more"), ("serial", HOSTILE), ("found by", "lc")),
        ),
        Box(name="edge", kind="switch", region="south", facts=(("addresses", "10.1.0.1"),)),
        Box(name="phone", kind="", region="", known=False),
    ),
    cables=(cable(0, 1), cable(0, 2, port=HOSTILE), cable(2, 3, confirmed=False, other_port="")),
)


@pytest.mark.parametrize("format_", FORMATS)
def test_an_empty_network_can_be_drawn(format_):
    assert draw_network(Network(title="t", boxes=(), cables=()), format_)


def test_graphviz_reads_the_drawing():
    dot = require("dot")
    drawn = draw_network(NETWORK, "dot")
    done = subprocess.run(
        [dot, "-Tjson"], input=drawn, capture_output=True, text=True, check=True, timeout=60
    )
    read = json.loads(done.stdout)
    nodes = {item["name"]: item for item in read["objects"] if item["name"].startswith("n")}
    assert set(nodes) == {"n0", "n1", "n2", "n3"}
    clusters = [item["label"] for item in read["objects"] if item["name"].startswith("cluster")]
    assert sorted(clusters) == ["heard of", "north", "south"]
    assert [edge.get("style") for edge in read["edges"]] == [None, None, "dashed"]
    assert not done.stderr


def test_json_has_every_device_and_link():
    document = json.loads(draw_network(NETWORK, "json"))
    assert document["devices"][1] == {
        "id": 1, "name": HOSTILE, "type": "switch", "region": "north", "known": True,
        "addresses": ["10.0.0.9", "10.9.9.9"], "macs": ["02:00:00:00:00:09"],
        "serial": HOSTILE, "found_by": "lc",
    }  # fmt: skip
    assert document["links"][2] == {
        "from": 2, "from_port": "Gi0/1", "to": 3, "to_port": "",
        "evidence": "LLDP at both ends", "confirmed": False,
    }  # fmt: skip


def test_mermaid_has_one_line_for_each_device_and_link():
    lines = draw_network(NETWORK, "mermaid").splitlines()
    assert sum(line.strip().startswith("n") and "[" in line for line in lines) == 4
    assert [line.strip().split("|")[0] for line in lines if "---" in line or "-.-" in line] == [
        "n0 ---", "n0 ---", "n2 -.-",
    ]  # fmt: skip
    assert not any("</script>" in line for line in lines)


def test_the_page_asks_for_nothing_from_elsewhere():
    page = draw_network(NETWORK, "html")
    assert not re.search(r"(?:src|href)=|@import|url\(|https?:", page)


class Page:
    """The page in a browser: what scripts of the test do there, and what it is like afterwards."""

    def __init__(self, tmp_path, network=NETWORK):
        self._path = tmp_path / "page.html"
        self._text = draw_network(network, "html")

    def run(self, script: str):
        """Run a script after the page's own; return the value of its last expression."""
        check = (
            "<script>window.onerror = (text) => { document.body.dataset.error = text; };</script>"
        )
        within = f"(() => {{ with (view) {{{script}}} }})()"  # its members by name
        act = f"<script>document.body.dataset.result = JSON.stringify({within});</script>"
        self._path.write_text(
            self._text.replace("<head>", f"<head>{check}").replace("</body>", f"{act}</body>")
        )
        done = subprocess.run(
            [
                require("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                f"--user-data-dir={self._path.parent / 'profile'}", "--window-size=1200,800",
                "--virtual-time-budget=2000", "--dump-dom", self._path.as_uri(),
            ],
            capture_output=True, text=True, timeout=90, check=True,
        )  # fmt: skip
        assert not re.search(r'data-error="([^"]*)"', done.stdout), done.stdout[-500:]
        found = re.search(r'data-result="([^"]*)"', done.stdout)
        assert found is not None, done.stdout[-2000:]
        return json.loads(html.unescape(found[1]))


@pytest.fixture
def page(tmp_path):
    return Page(tmp_path)


def test_names_are_text_whatever_they_contain(page):
    result = page.run(
        "return [document.title, boxes[1].name, document.querySelectorAll('b').length,"
        " shapes[1].querySelector('text').textContent]"
    )
    assert result[1:3] == [HOSTILE, 0]
    assert result[3] == HOSTILE[:17] + "…"
    assert result[0].startswith("</script><b>")


def test_search_marks_what_it_finds_and_shows_it(page):
    script = """
        fold(boxes[2].region); arrange();
        search.value = "10.1. SWITCH";
        search.dispatchEvent(new Event("input"));
        return [found.textContent, hits, isFolded(boxes[2].region), shapes[2].classList.contains("hit")];
    """
    assert page.run(script) == ["1 found", [2], False, True]


def test_a_folded_region_hides_its_boxes_and_keeps_its_cables(page):
    script = """
        const north = boxes[0].region;
        frames[north].querySelector(".title").dispatchEvent(new MouseEvent("click", {bubbles: true}));
        const content = frames[north].querySelector(".content");
        const path = lines[1].getAttribute("d"), hidden = getComputedStyle(content).display;
        frames[north].querySelector(".title").dispatchEvent(new MouseEvent("click", {bubbles: true}));
        return [hidden, path !== drawn[1], lines[1].getAttribute("d") === drawn[1],
                getComputedStyle(content).display];
    """
    assert page.run(script) == ["none", True, True, "inline"]


def test_a_chosen_device_shows_its_facts_and_links(page):
    script = """
        shapes[0].querySelector("text").dispatchEvent(new MouseEvent("click", {bubbles: true}));
        const first = panel.textContent;
        panel.querySelectorAll("a")[1].click();
        return [first, panel.querySelector("h2").textContent, lines[1].classList.contains("lit")];
    """
    first, second, lit = page.run(script)
    assert "10.0.0.1" in first
    assert "LLDP at both ends" in first
    assert (second, lit) == ("edge", True)


def test_the_wheel_zooms_around_the_pointer_and_dragging_moves(page):
    script = """
        const before = [scale, x, y], area = map.getBoundingClientRect();
        map.dispatchEvent(new WheelEvent("wheel", {deltaY: -200, clientX: area.left, clientY: area.top}));
        const zoomed = [scale / before[0], x / before[1]];
        const at = (name, clientX) => map.dispatchEvent(
            new PointerEvent(name, {pointerId: 1, clientX, clientY: 50, bubbles: true}));
        map.setPointerCapture = () => {};
        const left = x;
        at("pointerdown", 100); at("pointermove", 160); at("pointerup", 160);
        return [...zoomed.map((one) => one.toFixed(3)), x - left];
    """
    factor, moved, dragged = page.run(script)
    assert factor == moved == "1.350"
    assert dragged == 60


def test_a_large_network_is_folded_at_first_and_complete(tmp_path):
    boxes = tuple(Box(name=f"d{n}", kind="server", region=f"r{n % 5}") for n in range(5000))
    cables = tuple(cable(n, n - 5) for n in range(5, 5000))
    page = Page(tmp_path, Network(title="large", boxes=boxes, cables=cables))
    assert page.run("return [shapes.length, lines.length, frames.every((_, n) => isFolded(n))]") == [
        5000, 4995, True,
    ]  # fmt: skip
