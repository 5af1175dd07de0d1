"""The page of ``pdsno web``: a read-only view of one topology, over HTTP, for a browser.

==============  =======================================================================
``plane``       what the page shows, as documents; the same functions as the commands
``shared``      one reading for all browsers that ask at the same time
``app``         the routes (Starlette), each bounded in time and size
``guard``       the token, the Host header, the security headers
``server``      the listening socket, and uvicorn until Ctrl-C
``static``      one HTML page, and the parts of its style sheet and its script
==============  =======================================================================

It is a layer of its own between the commands and ``client``: another face of what ``client`` reads,
which nothing but the command uses.
"""
