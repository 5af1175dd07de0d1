"""SNMP as managers speak it: who answers, what each is, what it consists of, what it reports itself.

The modules, in the order in which an address meets them::

    rounds       tries the credentials in order        credentials  which one each device answered
    agents       the wire of v2c, many agents at once   v3, v3_hello  the same by SNMPv3, through pysnmp
    system       the system group and the first MAC
    identities   what a device is, asked once           questions   as much at a time as an agent takes
    details      its tables: interfaces, neighbours, forwarding
    traps        the notifications that agents send
    ber, ber_write, engine_id   the encodings; pure
    probe        all of it as one ``discovery.probe.Probe``
"""
