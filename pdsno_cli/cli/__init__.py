"""Layer 6: one command per file; parses, calls, prints. Nothing else prints or exits."""
