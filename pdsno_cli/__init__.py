"""pdsno: one YAML file declares a control plane of network controllers."""

__version__ = "0.1.0"
