"""Signs the outbox again where the topic root, or the signing key, is another than when it was queued.

Otherwise receivers refuse the first message of a stream, and so never get those behind it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pdsno_cli.nib.offsets import START

if TYPE_CHECKING:
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.model.topics import TopicMap
    from pdsno_cli.nib.store import Store

log = logging.getLogger(__name__)

_ALL = 2**31  # messages, more than an outbox holds


def readdress(store: Store, codec: Codec, topics: TopicMap) -> int:
    """Sign queued messages for the present root and key; return the number of those that were not.

    Numbers and contents stay. Root and key change between two runs only, so in a stream the messages
    to sign come first, and where there is none one look-up shows it.
    """
    count = 0
    with store.transaction() as tx:
        for stream in store.outbox_streams():
            topic = topics.of_stream(stream)
            after, most = START, 1
            while queued := store.outbox(stream, after, most):
                found = [(kept, codec.sign_again(topic, kept.data)) for kept in queued]
                changed = [(kept, data) for kept, data in found if data is not None]
                for kept, data in changed:
                    tx.readdress(kept, topic, data)
                count += len(changed)
                if len(changed) < len(queued):
                    break
                after, most = queued[-1].offset, _ALL
    if count:
        log.info("queued messages signed again for another topic root or key: %d", count)
    return count
