"""The promise of the control plane: no message is lost, none is applied twice.

The way of a durable message, from one store to the next:

1. *Stage* (``publisher``): the role stages a message in the transaction of what it reports. It is
   numbered (epoch, seq), signed and committed to the outbox table with that change, or not at all.
2. *Send* (``stream_sender``, ``send_window``): the outbox is sent in order, a window at a time, over
   whichever transport is active, and again until the receiver acknowledges it. A full outbox is
   coalesced into one snapshot. ``stall_monitor`` changes the connection or transport where nothing
   is acknowledged.
3. *Receive* (``receiver``): arrivals are queued, verified, and committed in groups. An arrival is
   released to its transport, so that a broker may forget it, after its commit only.
4. *Judge, assemble, apply* (``inbox``, ``fragments``): a message is applied if its number is the
   next of its stream, in one call of ``Consumer.apply`` and in the transaction that records the
   number. A duplicate is dropped, a gap is asked for, a stranger's or a stale one is rejected.
5. *Acknowledge* (``ack_scheduler``): a commit is acknowledged to the sender, cumulatively, which then
   deletes what it has kept (``stream_control``).

A message that is signed and fails to apply goes to ``quarantine``, and its stream goes on. A
sender whose numbers a receiver cannot accept numbers its outbox again (``renumber``). A receiver
that lost its store asks those that are online for all they have (``state_requests``). Orders of an
operator are executed once (``commands``). ``subscriptions`` says which role receives what.

A report can be lost in one case alone: its store is lost before it is acknowledged.
"""
