"""Layer 4: plans, spawns, watches and stops the processes of a topology; the control socket."""
