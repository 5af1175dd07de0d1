"""Layer 1: from a YAML file with positions to a frozen ``Topology``: the one loading pipeline."""
