"""Reads what a device consists of and is plugged into from its SNMP agent (``model.details``).

``detail.read_detail`` is a generator of requests that is sent their answers: ``conversations`` runs
many over one UDP socket, ``recorded`` one over a recording. ``memory`` decides when a device is read.
"""
