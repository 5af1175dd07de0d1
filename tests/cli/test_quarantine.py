from __future__ import annotations

from pdsno_cli.cli.quarantine import _block


def test_an_entry_with_long_ids_is_a_block_of_whole_lines():
    regional, local = (
        "regional_cntl_building-seven-north_00001",
        "local_cntl_building-seven_000000000000001",
    )
    lines = _block(
        (regional, "7", "2026-11-26T11:06:09.032Z", local, f"discovery/b7/{local}", "1795691169",
         "12", "512", "not \x1b[2Jvalid")
    ).splitlines()  # fmt: skip
    assert lines == [
        f"{regional}: entry 7, 2026-11-26T11:06:09.032Z",
        f"  from {local}",
        f"  discovery/b7/{local} 1795691169/12, 512 B",
        r"  not \x1b[2Jvalid",
    ]
