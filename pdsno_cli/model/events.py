"""The kinds of events that controllers raise; docs/messages.md says what each means."""

from __future__ import annotations

EVENT_KINDS = (
    "controller_up",
    "controller_down",
    "policy_applied",
    "policy_refused",
    "policy_restored",
    "command_refused",
    "quarantine_replayed",
    "quarantine_discarded",
    "mac_in_two_regions",
    "mac_at_two_locals",
    "address_conflict",
    "device_moved",
    "device_rebooted",
    "device_flapping",
    "credential_refused",
    "mass_loss_held",
    "outbox_coalesced",
    "delivery_stalled",
    "delivery_resumed",
    "epoch_ahead",
    "client_id_taken_over",
    "message_refused",
    "message_too_large",
)
