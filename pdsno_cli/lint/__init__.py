"""Layer 2: checks the meaning of a topology: an engine, and one file per rule."""
