"""``pdsno scan``: one discovery from the shell, without a topology and without a broker."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import JSON, WIDE, seconds
from pdsno_cli.cli.scan_arguments import scan_protocols, scan_targets, with_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pdsno_cli.discovery.progress import Progress
    from pdsno_cli.discovery.scan import Plan
    from pdsno_cli.discovery.sweep import SweepResult

FORMAT_VERSION = 1
_HEAD = ("address", "mac", "mac vendor", "name", "vendor", "type", "model", "version", "protocols")
# Columns that a narrow terminal lacks, those first that are missed least.
_DROP = ("mac vendor", "version", "model", "mac", "protocols", "vendor", "type", "name")
_REDRAW = 0.1  # seconds
_NONE_FOUND = 1  # exit code


def scan(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGET...",
            help="10.0.0.0/24, 10.0.0.1-10.0.0.9, fd00::7, or fd00:1::/64 for a link.",
        ),
    ],
    *,
    protocols: Annotated[
        str | None,
        typer.Option(
            "--protocols", metavar="LIST", help="As in arp,icmp,snmp, which is the default."
        ),
    ] = None,
    community: Annotated[
        list[str] | None,
        typer.Option(
            "--community",
            metavar="TEXT",
            help="SNMP v2c community (default: public). Several are tried in order.",
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="NAME", help="SNMPv3 user; tried after the communities."),
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            "--auth",
            metavar="PROTOCOL=PASSWORD",
            help="The user's authentication, as in sha256=file:auth.txt.",
        ),
    ] = None,
    privacy: Annotated[
        str | None,
        typer.Option(
            "--privacy",
            metavar="PROTOCOL=PASSWORD",
            help="The user's encryption, as in 'aes=${PRIVACY_PASSWORD}'.",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=1, max=65535, help="UDP port of SNMP agents.")
    ] = 161,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="TARGET", help="Leave these out; may be repeated."),
    ] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="Time of one SNMP try.")
    ] = "1s",
    retries: Annotated[
        int, typer.Option("--retries", metavar="N", min=0, max=10, help="Further SNMP tries.")
    ] = 1,
    rate: Annotated[
        int | None,
        typer.Option("--rate", metavar="N", min=1, max=100_000, help="Packets a second, at most."),
    ] = None,
    as_json: JSON = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    wide: WIDE = False,
) -> None:
    """Discover devices once, without a topology or a broker.

    Exits with 1 if nothing answers, and says why as far as can be known.
    """
    from pdsno_cli.discovery.scan import Plan, reasons
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.spec.topology import Snmp

    if as_json and as_csv:
        raise UsageError("--json and --csv cannot be combined")
    snmp = Snmp(port=port, timeout=seconds(timeout), retries=retries, details=None)
    plan = Plan(
        targets=scan_targets(targets, exclude or ()),
        protocols=scan_protocols(protocols),
        snmp=with_credentials(snmp, community or (), user, auth, privacy),
        rate=rate,
    )
    result = _run(plan)
    said = list(reasons(plan, result))
    if as_json:
        console.data(_document(targets, plan, result, said))
    elif as_csv:
        from pdsno_cli.cli.device_facts import OBSERVED, csv_text, observed_facts

        rows = [observed_facts(item, vendors=True) for item in result.observations]
        console.data(csv_text(rows, OBSERVED))
    elif result.observations:
        console.data(_table(result, wide=wide))
    for line in said:
        console.message(line)
    for line in result.warnings:
        console.message(f"warning: {line}")
    console.progress(_summary(plan, result))
    if not result.observations:
        raise typer.Exit(_NONE_FOUND)


def _run(plan: Plan) -> SweepResult:
    """Scan on a thread of its own, with a bar on a terminal; Ctrl-C ends it early."""
    from concurrent.futures import ThreadPoolExecutor

    from pdsno_cli.discovery.progress import Progress
    from pdsno_cli.discovery.scan import scan as run

    cancel = threading.Event()
    progress = {name: Progress() for name in plan.protocols}
    with ThreadPoolExecutor(1, thread_name_prefix="scan") as pool:
        future = pool.submit(run, plan, cancel, progress)
        try:
            if console.terminal(sys.stderr):
                _show(plan, progress, future.done)
            return future.result()
        finally:
            cancel.set()


def _show(plan: Plan, progress: Mapping[str, Progress], done: Callable[[], bool]) -> None:
    """Draw how many requests of each protocol are answered or given up, until the scan is done."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    screen = Console(file=sys.stderr, no_color=not console.colour(sys.stderr))
    columns = (TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn())
    with Bars(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("", total=None)
        while not done():
            bar.update(
                task,
                description=f"{_places(plan)}: {_counts(progress)}",
                completed=sum(item.finished for item in progress.values()),
                total=sum(item.begun for item in progress.values()) or None,
            )
            time.sleep(_REDRAW)


def _counts(progress: Mapping[str, Progress]) -> str:
    return ", ".join(f"{name} {i.finished:,}/{i.begun:,}" for name, i in progress.items())


def _table(result: SweepResult, *, wide: bool) -> str:
    from pdsno_cli.cli.device_facts import observed_facts
    from pdsno_cli.cli.table import fitted

    rows = []
    for item in result.observations:
        facts = observed_facts(item, vendors=wide)
        more = f" +{len(item.addresses) - 1}" if len(item.addresses) > 1 else ""
        rows.append(
            (facts["address"] + more, *(facts[name.replace(" ", "_")] for name in _HEAD[1:]))
        )
    return fitted(_HEAD, rows, width=None if wide else console.width(), drop=_DROP)


def _summary(plan: Plan, result: SweepResult) -> str:
    from pdsno_cli.cli.table import plural

    each = ", ".join(f"{p.protocol} {p.answers}/{p.targets}" for p in result.probes)
    found = plural(len(result.observations), "device")
    return f"{found} at {_places(plan)} in {result.seconds:.1f} s ({each})"


def _places(plan: Plan) -> str:
    """Return how many addresses and links are asked."""
    from pdsno_cli.cli.table import plural

    count, links = len(plan.targets), len(plan.links)
    found = [f"{count:,} addresses" if count != 1 else "1 address"] if count or not links else []
    return " and ".join([*found, *([plural(links, "IPv6 link")] if links else [])])


def _document(targets: list[str], plan: Plan, result: SweepResult, said: list[str]) -> str:
    import json

    import msgspec

    from pdsno_cli.discovery.oui import mac_vendor

    devices = [
        msgspec.to_builtins(item) | {"mac_vendor": mac_vendor(item.mac)}
        for item in result.observations
    ]
    document = {
        "format_version": FORMAT_VERSION,
        "targets": targets,
        "addresses": len(plan.targets),
        "links": plan.links,
        "seconds": round(result.seconds, 3),
        "probes": msgspec.to_builtins(result.probes),
        "reasons": said,
        "warnings": list(result.warnings),
        "devices": devices,
    }
    return json.dumps(document, indent=2)
