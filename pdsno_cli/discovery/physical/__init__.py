"""The physical map of a network: what is plugged into what, each link with its evidence; pure."""
