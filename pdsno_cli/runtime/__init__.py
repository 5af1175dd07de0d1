"""Layer 4: wires adapters to a controller and runs it: the mailbox loop, the node, its child."""
