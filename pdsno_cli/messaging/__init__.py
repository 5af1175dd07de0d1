"""Layer 2: how messages travel: the wire form, its signature, and the transports."""
