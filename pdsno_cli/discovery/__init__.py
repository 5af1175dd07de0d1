"""Discovery: probes send requests, a sweep runs them, and a cycle decides what changes."""
