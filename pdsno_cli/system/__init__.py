"""Layer 0: what only some operating systems have, one small module per concern."""
