"""Layer 2: what is wrong with the meaning of a topology: an engine, and one file per rule."""
