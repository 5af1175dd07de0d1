"""The command tree: the first sentence of each command fits into a line."""

from __future__ import annotations

import pytest
import typer.main

from pdsno_cli.cli import app as app_module
from pdsno_cli.cli.app import EXIT_INTERNAL, build, run
from pdsno_cli.model.errors import OperationError, UsageError


def commands(command, path=()):
    """Yield each command below ``command`` with its path."""
    for name, item in getattr(command, "commands", {}).items():
        yield " ".join((*path, name)), item
        yield from commands(item, (*path, name))


TREE = dict(commands(typer.main.get_command(build())))


@pytest.mark.parametrize("path", TREE)
def test_a_list_of_commands_shows_the_whole_first_sentence(path):
    text = TREE[path].get_short_help_str(68)
    assert text.endswith(".")
    assert not text.endswith("...")


@pytest.mark.parametrize("path", TREE)
def test_every_option_and_argument_has_help(path):
    missing = [param.name for param in TREE[path].params
               if not getattr(param, "help", None) and not getattr(param, "hidden", False)]  # fmt: skip
    assert missing == []


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("no such file"), 2, "error: no such file\n"),
        (OperationError("it\nfailed\x1b"), 1, "error: it\nfailed\\x1b\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_expected_failure_is_its_message_and_exit_code(
    monkeypatch, capsys, error, code, message
):
    def fail():
        raise error

    monkeypatch.setattr(app_module, "build", lambda _names: fail)
    with pytest.raises(SystemExit) as caught:
        run()
    assert caught.value.code == code
    assert capsys.readouterr().err == message


def test_a_bug_is_a_traceback_and_a_request_to_report_it(monkeypatch, capsys):
    monkeypatch.setattr(app_module, "build", lambda _names: lambda: {}["x"])
    with pytest.raises(SystemExit) as caught:
        run()
    assert caught.value.code == EXIT_INTERNAL
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("this is a bug in pdsno, please report it\n")


def test_one_command_alone_is_the_same_as_among_all():
    for name in ("validate", "policy"):
        alone = typer.main.get_command(build([name]))
        assert list(alone.commands) == [name]
        assert all(TREE[path].help == item.help for path, item in commands(alone))
