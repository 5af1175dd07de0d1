"""Layer 0: what only some operating systems have, one small module for each concern."""
