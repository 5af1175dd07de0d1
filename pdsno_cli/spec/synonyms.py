"""Keys as other tools name them."""

from __future__ import annotations

# Names that other tools use, by the key that they stand for.
SYNONYMS = {
    "role": ("type", "kind", "level"),
    "region": ("zone", "area", "site"),
    "targets": ("subnets", "networks", "prefixes", "ranges", "subnet", "network", "prefix", "cidr"),
    "controllers": ("nodes", "devices"),
    "regions": ("zones", "areas", "sites"),
    "host": ("hostname", "server", "url", "address", "uri"),
    "hosts": ("servers", "urls", "addresses", "brokers"),
    "into": ("size", "length", "prefixlen", "new_prefix"),
    "split": ("prefix", "network", "cidr", "subnet"),
    "username": ("user", "login"),
    "password": ("pass", "passwd", "secret"),
    "ca": ("cafile", "ca_file", "ca_cert", "cacert", "ca_certs", "cacerts", "ca_path", "ca_bundle"),
    "cert": ("certfile", "cert_file", "certificate", "client_cert"),
    "key": ("keyfile", "key_file", "private_key", "client_key"),
    "tls": ("ssl",),
    "interval": ("period", "every", "frequency", "scan_interval"),
    "scan_interval": ("interval", "period", "every", "frequency"),
    "protocols": ("probes", "methods"),
    "address": ("listen", "endpoint", "url"),
    "name": ("title", "topology"),
    "fallbacks": ("transports",),
    "nib": ("store", "database", "db"),
}
