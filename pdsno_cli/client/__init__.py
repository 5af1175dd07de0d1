"""Layer 5: what commands need of a topology: sessions, orders and their outcome, audit, monitor."""
