"""``pdsno identify``: says what the devices of recordings are, and how often that is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import JSON, WIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pdsno_cli.discovery.identify.answers import Object, Oid
    from pdsno_cli.discovery.identify.evaluate import Verdict
    from pdsno_cli.discovery.identify.facts import Identity
    from pdsno_cli.model.details import Detail

FORMAT_VERSION = 1
EXPECTED = "expected.json"
_HEAD = ("recording", "vendor", "type", "model", "version", "serial")
_COUNTED = ("recording", "interfaces", "up", "addresses", "neighbours", "vlans", "stations")
_DROP_COUNTED = ("addresses", "up")
_DROP = ("serial", "version", "model", "type")  # those first that are missed least


def identify(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A folder of .snmprec files, or one such file."),
    ],
    *,
    as_json: JSON = False,
    misses: Annotated[
        bool, typer.Option("--misses", help="List what differs from expected.json.")
    ] = False,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Show every fact with where it comes from.")
    ] = False,
    details: Annotated[
        bool,
        typer.Option("--details", help="Count interfaces, neighbours, VLANs and stations, too."),
    ] = False,
    wide: WIDE = False,
) -> None:
    """Identify the devices of SNMP recordings.

    Reads snmpsim's format (OID|type|value). With an expected.json in FOLDER, prints hits and misses.
    """
    from pdsno_cli.cli.table import fitted
    from pdsno_cli.model.errors import UsageError

    expected, width = _expected(folder), None if wide else console.width()
    if misses and expected is None:
        raise UsageError(f"--misses needs {folder / EXPECTED}: write the expected facts there")
    devices, verdicts, unfounded, consists = _identify(folder, expected, details=details)
    if as_json:
        document = _document(devices, verdicts, unfounded, consists)
        console.data(json.dumps(document, indent=2))
    elif evidence:
        console.data(_evidence(devices))
    elif misses:
        console.data(_misses(verdicts))
    elif details:
        counted = [_counts(name, detail) for name, detail in consists.items()]
        console.data(fitted(_COUNTED, counted, width=width, drop=_DROP_COUNTED))
    elif expected is not None:
        console.data(_scores(devices, verdicts, unfounded))
    else:
        rows = [(name, *_cells(found)) for name, found in devices.items()]
        console.data(fitted(_HEAD, rows, width=width, drop=_DROP))


def _identify(
    folder: Path, expected: dict[str, dict[str, Any]] | None, *, details: bool
) -> tuple[dict[str, Identity], dict[str, list[Verdict]], list[tuple[str, str]], dict[str, Detail]]:
    """Return, by recording, facts, verdicts, values without a source, and details if wanted."""
    from pdsno_cli.discovery.identify.answers import Answers
    from pdsno_cli.discovery.identify.evaluate import invented, judge
    from pdsno_cli.discovery.identify.identity import identify as identity_of
    from pdsno_cli.discovery.identify.recording import read_recording

    devices: dict[str, Identity] = {}
    verdicts: dict[str, list[Verdict]] = {}
    unfounded: list[tuple[str, str]] = []
    consists: dict[str, Detail] = {}
    for path in _recordings(folder):
        objects = read_recording(_bytes(path))
        if not objects:
            _report_empty(folder, path)
        answers = Answers(objects)
        devices[path.stem] = found = identity_of(answers)
        if details:
            consists[path.stem] = _detail(objects)
        if expected is not None and path.stem in expected:
            verdicts[path.stem] = judge(found, expected[path.stem], answers)
            unfounded += [(path.stem, field) for field in invented(found, answers)]
    return devices, verdicts, unfounded, consists


def _detail(objects: Mapping[Oid, Object]) -> Detail:
    """Return what a recorded device consists of, read as from its agent."""
    from pdsno_cli.discovery.identify.answers import Answers
    from pdsno_cli.discovery.identify.rule import SYS_OBJECT_ID
    from pdsno_cli.discovery.snmp.details.detail import read_detail
    from pdsno_cli.discovery.snmp.details.recorded import replay
    from pdsno_cli.spec.topology import Details

    object_id = Answers(objects).oid(SYS_OBJECT_ID) or ()
    return replay(read_detail(Details(forwarding=True), object_id), objects).detail


def _counts(name: str, detail: Detail) -> tuple[str, ...]:
    addresses = sum(len(interface.addresses) for interface in detail.interfaces)
    up = sum(interface.state == "up" for interface in detail.interfaces)
    counts = (len(detail.interfaces), up, addresses, len(detail.neighbours), len(detail.vlans))
    return name, *map(str, (*counts, len(detail.stations or ())))


def _recordings(folder: Path) -> list[Path]:
    from pdsno_cli.model.errors import UsageError

    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise UsageError(f"no folder {str(folder)!r}: name one with .snmprec files")
    found = sorted(folder.glob("*.snmprec"))
    if not found:
        raise UsageError(f"no recording in {str(folder)!r}: name a folder with .snmprec files")
    return found


def _report_empty(folder: Path, path: Path) -> None:
    """Raise UsageError for a file without any object; warn of one in a folder, which has others."""
    from pdsno_cli.model.errors import UsageError

    problem = f"{path} has no line of the form OID|type|value"
    if path == folder:
        raise UsageError(f"{problem}: name a recording in snmpsim's format")
    console.message(f"warning: {problem}")


def _bytes(path: Path) -> bytes:
    from pdsno_cli.model.errors import UsageError

    try:
        return path.read_bytes()
    except OSError as exc:
        raise UsageError(f"cannot read {path}: {exc.strerror}") from exc


def _expected(folder: Path) -> dict[str, dict[str, Any]] | None:
    """Return what a folder's expected.json says of each recording; None without such a file."""
    from pdsno_cli.model.errors import UsageError

    path = folder / EXPECTED
    if not path.is_file():
        return None
    try:
        stated = json.loads(_bytes(path))
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"{path} is not JSON: {exc}") from exc
    if not isinstance(stated, dict) or not all(isinstance(item, dict) for item in stated.values()):
        raise UsageError(
            f'{path} is not an object of objects: write {{"RECORDING": {{"type": …}}}}'
        )
    return stated


def _cells(found: Identity) -> tuple[str, ...]:
    return tuple(found[field].value if field in found else "" for field in _HEAD[1:])


def _totals(verdicts: dict[str, list[Verdict]]) -> dict[str, tuple[int, int]]:
    """Return hits and misses of each field, and of the three details taken together."""
    from pdsno_cli.discovery.identify.evaluate import SCORED, detail

    totals = {}
    for field in SCORED:
        judged = [
            item.right for items in verdicts.values() for item in items if item.field == field
        ]
        totals[field] = (sum(judged), len(judged) - sum(judged))
    any_of = [one for items in verdicts.values() if (one := detail(items)) is not None]
    totals["any detail"] = (sum(any_of), len(any_of) - sum(any_of))
    return totals


def _scores(
    devices: dict[str, Identity],
    verdicts: dict[str, list[Verdict]],
    unfounded: list[tuple[str, str]],
) -> str:
    from pdsno_cli.cli.table import plural, table

    rows = []
    for field, (hits, missed) in _totals(verdicts).items():
        share = f"{100 * hits / (hits + missed):.1f} %" if hits + missed else "-"
        rows.append((field, str(hits), str(missed), share))
    lines = [
        f"{plural(len(devices), 'recording')}, {len(verdicts)} of them in {EXPECTED}",
        "any detail: version, model or serial number, where the recording holds one",
        f"values that stand neither in the recording nor in our tables: {len(unfounded)}",
    ]
    return table(("field", "hits", "misses", "right"), rows) + "\n" + "\n".join(lines) + "\n"


def _misses(verdicts: dict[str, list[Verdict]]) -> str:
    from pdsno_cli.cli.table import table

    rows = [
        (name, item.field, _short(item.expected), _short(item.found or "-"))
        for name, items in verdicts.items()
        for item in items
        if not item.right
    ]
    return table(("recording", "field", "expected", "found"), rows) if rows else "no miss\n"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _evidence(devices: dict[str, Identity]) -> str:
    blocks = []
    for name, found in devices.items():
        lines = [f"  {field}: {fact.value}  ({fact.evidence})" for field, fact in found.items()]
        blocks.append("\n".join([name, *lines]) + "\n")
    return "\n".join(blocks)


def _document(
    devices: dict[str, Identity],
    verdicts: dict[str, list[Verdict]],
    unfounded: list[tuple[str, str]],
    consists: dict[str, Detail],
) -> dict[str, Any]:
    from dataclasses import asdict

    from msgspec import to_builtins

    from pdsno_cli.discovery.identify.facts import CLASSES, FIELDS
    from pdsno_cli.discovery.identify.placeholders import repeated

    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "devices": [
            {
                "recording": name,
                **{field: found[field].value if field in found else None for field in FIELDS},
                "class": CLASSES.get(found["type"].value) if "type" in found else None,
                "evidence": {field: fact.evidence for field, fact in found.items()},
            }
            for name, found in devices.items()
        ],
    }
    for item in document["devices"] if consists else ():
        item["details"] = to_builtins(consists[item["recording"]])
    # One number on several devices is an asset tag or a copy, and identifies none of them.
    serials = [found["serial"].value for found in devices.values() if "serial" in found]
    document["repeated_serials"] = sorted(repeated(serials))
    if verdicts:
        document["scores"] = {
            field: {"hits": hits, "misses": missed}
            for field, (hits, missed) in _totals(verdicts).items()
        }
        document["misses"] = [
            {
                "recording": name,
                **{key: value for key, value in asdict(item).items() if key != "right"},
            }
            for name, items in verdicts.items()
            for item in items
            if not item.right
        ]
        document["invented"] = [{"recording": name, "field": field} for name, field in unfounded]
    return document
