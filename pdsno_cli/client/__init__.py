"""Layer 5: access of commands to a topology: sessions, orders and their outcome, audit, monitor."""
