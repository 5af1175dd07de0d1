"""Layer 0: the types that every other layer uses; standard library and msgspec only."""
