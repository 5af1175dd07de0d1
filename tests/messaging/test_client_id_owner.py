"""Which of two processes with one client id ends."""

from __future__ import annotations

from pdsno_cli.messaging.client_id_owner import ClientIdClaim, ClientIdOwner

CLAIM = ClientIdClaim("status/one", "host, process 2", 7, lambda *_: None)


def test_claim_yields_to_a_later_epoch_alone():
    assert CLAIM.yields_to(ClientIdOwner("host, process 1", 8))
    assert not CLAIM.yields_to(ClientIdOwner("host, process 3", 6))


def test_claim_yields_by_label_in_the_same_epoch():
    assert CLAIM.yields_to(ClientIdOwner("host, process 3", 7))
    assert not CLAIM.yields_to(ClientIdOwner("host, process 1", 7))


def test_claim_never_yields_to_an_unsigned_owner():
    claim = CLAIM._replace(epoch=-1)
    assert not claim.yields_to(ClientIdOwner("zzz", 0))
