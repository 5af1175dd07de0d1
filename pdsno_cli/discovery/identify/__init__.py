"""What a device is: facts, each with its evidence, from the SNMP objects that it answered; pure.

The steps and their modules::

    recording   lines of a file in snmpsim's format     → objects
    answers     objects, looked up by OID, as clean text
    rules       ordered patterns of sysObjectID and sysDescr; the first that matches is the device's
    objects     which OIDs hold a model, version or serial number
    vendors     enterprise number → vendor (vendors.txt)
    kinds       the type, where the rule leaves it open
    identity    the facts of one device
    evaluate    the facts of many, compared with what is expected of them

    >>> found = identify(Answers(read_recording(text)))
    >>> found["vendor"].value, found["vendor"].evidence
    ('Cisco', 'enterprise number 9')
"""
