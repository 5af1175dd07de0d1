"""Layer 2: the network information base, what a controller knows and keeps on disk."""
