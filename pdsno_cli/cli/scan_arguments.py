"""The arguments of ``pdsno scan`` as what they mean; UsageError, one line, for a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pdsno_cli.model.targets import AddressRange, AddressSet
    from pdsno_cli.spec.topology import Snmp, SnmpKey


def scan_targets(texts: Iterable[str], excluded: Iterable[str]) -> AddressSet:
    """Return the addresses of ranges, several of which may stand in a text, without the excluded ones."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.targets import TOO_MANY, AddressSet, parse_excluded, parse_target

    wanted = AddressSet(_ranges(texts, "TARGET", parse_target))
    left = wanted.without(AddressSet(_ranges(excluded, "--exclude", parse_excluded)))
    if not left:
        raise UsageError("every target is excluded: name others, or a smaller --exclude")
    if len(left) > TOO_MANY:
        raise UsageError(f"{len(left):,} addresses: a scan takes at most {TOO_MANY:,}")
    return left


def _ranges(
    texts: Iterable[str], what: str, parse: Callable[[str], AddressRange]
) -> Iterator[AddressRange]:
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.target_problems import target_problem
    from pdsno_cli.model.targets import parse_range

    for part in (part.strip() for text in texts for part in text.split(",")):
        try:
            parse_range(part)
        except ValueError as exc:
            why, meant = target_problem(part)
            hint = "" if meant is None else f": did you mean {meant}?"
            raise UsageError(f"invalid {what} {part!r}: {why}{hint}") from exc
        try:
            yield parse(part)
        except ValueError as exc:
            raise UsageError(f"invalid {what}: {exc}") from exc


def scan_protocols(text: str | None) -> tuple[str, ...]:
    """Return the protocols of a list as in ``icmp,snmp``, the default ones for None."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.probes import DEFAULT_PROTOCOLS, PROTOCOLS, sort_protocols

    if text is None:
        return DEFAULT_PROTOCOLS
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError(f"invalid --protocols {text!r}: write {','.join(PROTOCOLS)}")
    for name in names:
        if name not in PROTOCOLS:
            from pdsno_cli.model.names import suggest

            raise UsageError(f"unknown protocol {name!r}: {suggest(name, PROTOCOLS)}")
    return sort_protocols(names)


def with_credentials(
    snmp: Snmp,
    communities: Iterable[str],
    user: str | None,
    auth: str | None,
    privacy: str | None,
) -> Snmp:
    """Return the settings with what is to be tried in order, secrets resolved."""
    from dataclasses import replace
    from pathlib import Path

    from pdsno_cli.model.errors import OperationError, UsageError
    from pdsno_cli.spec.credentials import resolve_snmp
    from pdsno_cli.spec.topology import Credential

    tried = [Credential(community=text) for text in dict.fromkeys(communities)]
    if any(not item.community for item in tried):
        raise UsageError("a community cannot be empty: leave --community out for public")
    if user is not None:
        keys = _key("--auth", auth), _key("--privacy", privacy)
        if privacy is not None and auth is None:
            raise UsageError("--privacy takes --auth, too: SNMPv3 encrypts for known users alone")
        tried.append(Credential(user=user, auth=keys[0], privacy=keys[1]))
    elif auth is not None or privacy is not None:
        raise UsageError("--auth and --privacy are those of a --user: name it")
    if len(tried) == 1 and tried[0].community is not None:
        settings = replace(snmp, community=tried[0].community)
    else:
        settings = replace(snmp, credentials=tuple(tried))
    try:
        return resolve_snmp(settings, base=Path())
    except OperationError as exc:
        raise UsageError(str(exc)) from exc


def _key(option: str, text: str | None) -> SnmpKey | None:
    """Return protocol and password of ``PROTOCOL=PASSWORD``."""
    from typing import get_args

    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import suggest
    from pdsno_cli.spec.topology import AuthProtocol, PrivacyProtocol, SnmpKey

    if text is None:
        return None
    protocols = get_args(AuthProtocol if option == "--auth" else PrivacyProtocol)
    written, equals, password = text.partition("=")
    protocol = next((item for item in protocols if item == written), None)
    if protocol is None:
        raise UsageError(f"unknown {option} protocol {written!r}: {suggest(written, protocols)}")
    if not equals or not password:
        raise UsageError(f"{option} lacks a password: write {protocol}=file:PATH")
    return SnmpKey(protocol=protocol, password=password)
