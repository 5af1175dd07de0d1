"""The text of a plan: within 80 columns, ids uncut, alike controllers on one line."""

from __future__ import annotations

from pdsno_cli.cli.plan_text import plan_text, summary

LONG = "local_network_operations_zone-a_building-17_floor-3_east_wing_closet_0000000000000000{:02d}"


def field(path, old, new, effect="live"):
    return {"path": path, "old": old, "new": new, "effect": effect}


def change(name, kind="live", *, fields=(), because=(), role="local", region="r1"):
    return {"id": name, "role": role, "region": region, "change": kind,
            "fields": list(fields), "because": list(because)}  # fmt: skip


def plan(changes=(), fields=(), effects=(), *, running=True):
    return {"topology": "site", "running": running, "changed": True, "token": "0" * 16,
            "changes": list(changes), "fields": list(fields), "effects": list(effects)}  # fmt: skip


def test_each_kind_has_a_symbol_and_a_word():
    kinds = ("add", "remove", "live", "move", "restart", "replace")
    found = plan(change(f"lc{n}", kind) for n, kind in enumerate(kinds))
    assert plan_text(found).splitlines() == [
        "site runs; to apply the file:",
        "  + lc0: add (local, r1)",
        "  - lc1: remove (local, r1)",
        "  ~ lc2: live (local, r1)",
        "  ± lc3: move (local, r1)",
        "  ± lc4: restart (local, r1)",
        "  ± lc5: replace (local, r1)",
        "plan: 1 add, 1 remove, 1 live, 1 move, 1 restart, 1 replace",
        "token: 0000000000000000",
    ]


def test_alike_controllers_share_a_line_and_others_do_not():
    def beat(name, new="2s"):
        return change(name, fields=[field(f"controllers.{name}.heartbeat", "1s", new)])

    found = plan([*(beat(f"lc{n}") for n in range(4)), beat("lc9", "3s")])
    lines = plan_text(found).splitlines()
    assert lines[1:5] == [
        "  ~ lc0 … lc3 (4): live (local, r1)",
        "      heartbeat: 1s → 2s",
        "  ~ lc9: live (local, r1)",
        "      heartbeat: 1s → 3s",
    ]
    assert summary(found) == "plan: 5 live"


def test_lines_are_wrapped_and_ids_are_whole():
    names = [LONG.format(n) for n in range(5)]
    text = plan_text(
        plan(
            [change(name, because=["one reason after another " * 5]) for name in names],
            [field("description", "words " * 20, "other words " * 20, "record")],
            ["what else follows from all of this, " * 4],
        )
    )
    assert names[0] in text
    assert names[-1] in text
    assert all(len(line) <= 80 or any(name in line for name in names) for line in text.splitlines())


def test_values_that_come_and_go_are_named():
    text = plan_text(
        plan(fields=[field("lab.devices", None, "5"), field("policy.protocols", "icmp", None)])
    )
    assert "  ~ lab.devices: 5 (new)" in text
    assert "  ~ policy.protocols: icmp → (none)" in text
    assert "plan: no controller changes" in text


def test_what_does_not_run_says_so_and_control_characters_are_shown():
    text = plan_text(plan([change("g1", "add", role="global", region=None)], running=False))
    assert text.splitlines()[:2] == ["site does not run:", "  + g1: add (global)"]
    evil = plan_text(plan(fields=[field("description", "a", "\x1b[31mred\x07")]))
    assert "\x1b" not in evil
    assert "\x07" not in evil


def test_reasons_of_many_controllers_share_a_line():
    because = ["it publishes the policy of its region", *(f"lc{n} changes" for n in range(5))]
    found = plan([change("g1", because=[*because, "lc9 is added"], role="global", region=None),
                  *(change(f"lc{n}") for n in range(5)), change("lc9", "add")])  # fmt: skip
    assert plan_text(found).splitlines()[1:5] == [
        "  ~ g1: live (global)",
        "      because: it publishes the policy of its region",
        "      because: lc0 … lc4 (5): changes",
        "      because: lc9 is added",
    ]
