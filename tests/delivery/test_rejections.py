from __future__ import annotations

from pdsno_cli.delivery.rejections import RejectionStats
from pdsno_cli.messaging.transport import Arrival
from pdsno_cli.model.refusals import Reason, RefusedError


def test_rejections_are_counted_by_reason_logged_and_shown_together(host, caplog):
    rc = host("rc")
    stats = RejectionStats(rc.endpoint)
    for topic, retained in (("a", False), ("b", True)):
        stats.count(Arrival(topic, b"", retained), RefusedError(Reason.REPLAYED, "old"))
    stats.count(Arrival("c", b""), RefusedError(Reason.UNPARSABLE, "no JSON"))
    assert rc.wire.notices == []
    rc.wire.wait(1.0)
    (notice,) = rc.wire.notices
    assert notice.counts == {"replayed": 2, "unparsable": 1}
    assert "refused on b (retained): replayed: old" in caplog.text
