"""Layer 0: the vocabulary that every other layer speaks; standard library and msgspec only."""
