"""Discovery: probes that ask the network, a sweep that runs them, and what a cycle changes."""
