"""Layer 1: loads a YAML file, with source positions, into a frozen ``Topology``."""
