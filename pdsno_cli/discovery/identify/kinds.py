"""The type of a device whose rule leaves it open: words, MIBs that it serves, the vendor, its layers."""

from __future__ import annotations

from pdsno_cli.discovery.identify import objects
from pdsno_cli.discovery.identify.answers import Answers, Oid
from pdsno_cli.discovery.identify.facts import Fact
from pdsno_cli.discovery.identify.families import FAMILIES
from pdsno_cli.discovery.identify.rule import search
from pdsno_cli.discovery.identify.vendors import Vendor

# In sysDescr or the model, in order: the first that is found decides.
WORDS = (
    ("network appliance", r"(?:media|voip|voice|sip) gateway|session border|\bSBC\b|WAN optimi[sz]|traffic shap|packet (?:broker|shaper)|(?:web|http|caching) proxy|proxy (?:server|appliance)"),
    ("appliance", r"(?:web|e?mail|message) gateway|telepresence|set-?top|\b(?:en|de|trans)coder|time server|\bNTP\b"),
    ("wlan controller", r"(?:wireless|wlan|mobility|wi-?fi)\W+(?:lan )?controller|\bWLC\b|access controller"),
    ("access point", r"access point|\b[EW]?AP-?\d{3}\b|wireless ap\b|\bWAP\d|\bwi-?fi\b.*\bAP\b|Wireless LAN AP"),
    ("firewall", r"\bfirewall|security (?:gateway|appliance)|\bUTM\b|\bNGFW\b|\bVPN (?:gateway|concentrator)"),
    ("load balancer", r"load.?balancer|application delivery|\bADC\b(?!\w)"),
    ("printer", r"\bprinter\b|print ?server|\bMFP\b|LaserJet|\bplotter\b|multifunction"),
    ("power", r"\bUPS\b|\bPDU\b|uninterruptible|power (?:distribution|supply|strip|system|controller)|rectifier|\brPDU|inverter|\bPower ?Manager|ATS\b|\bbattery|smart power"),
    ("camera", r"\bcamera\b|video (?:encoder|server|recorder)|\bIPCAM|\b(?:N|D)VR\b|surveillance"),
    ("phone", r"\bIP ?phone|\btelephon|\bVoIP\b|\bPBX\b|\bSIP phone|call manager"),
    ("environment", r"temperature|humidity|\bsensor|environment(?:al)? monitor|thermometer|air ?condition|cooling|\bHVAC\b|\bchiller|\bprobe\b"),
    ("storage", r"\bNAS\b|\bstorage\b|disk array|\bSAN\b|\bRAID\b|tape library|filer\b"),
    ("console server", r"console (?:server|manager)|terminal server|serial (?:device )?server|\bKVM\b"),
    ("transport", r"\bOLT\b|\bGPON|\bEPON|\bDSLAM|\bMSAN|\bONU\b|\bONT\b|\bDWDM|\bCWDM|\bWDM\b|\bSDH\b|\bCMTS|media converter|multiplexer|\bEDFA|optical|transponder|\bmodem\b"),
    ("radio", r"microwave|packet radio|\bradio\b|point.to.(?:multi)?point|wireless bridge|\bbackhaul|\bCPE\b|base ?station|\bLTE\b"),
    ("hypervisor", r"hypervisor|\bESXi?\b|\bproxmox"),
    ("switch", r"\bswitch|\bL[23]\b.*(?:managed|gigabit)|\bethernet fabric"),
    ("router", r"\brouter|\brouting|\bgateway|\bSD-?WAN|\bBRAS\b|\bBNG\b"),
    ("server", r"\bserver\b|\bBMC\b|\bIPMI\b|baseboard|chassis management|\bblade"),
)  # fmt: skip

# What most devices of an operating system are, where nothing else tells.
SYSTEMS = {
    "IOS": "router",
    "IOS-XE": "router",
    "VRP": "switch",
    "Comware": "switch",
    "AlliedWare Plus": "switch",
    "WeOS": "switch",
    "IronWare": "switch",
    "ZXR10": "switch",
    "ZXROS": "router",
    "Ruijie RGOS": "switch",
    "BDCOM": "switch",
    "DCN": "switch",
    "QTECH": "switch",
    "DmOS": "switch",
    "HiOS": "switch",
    "ROS": "switch",
    "FASTPATH": "switch",
    "Adtran AOS": "router",
    "Meraki": "access point",
    "ZyNOS": "switch",
    "TrendNET": "switch",
}

_LLDP_CAPABILITIES: Oid = (1, 0, 8802, 1, 1, 2, 1, 3, 6, 0)  # lldpLocSysCapEnabled
_CAPABILITIES = (
    ("phone", 5),
    ("access point", 3),
    ("router", 4),
    ("switch", 2),
)  # bits of IEEE 802.1AB
_BRIDGE = 0x20
_IEEE_80211: Oid = (1, 2, 840, 10036)
_BRIDGE_PORTS: Oid = (1, 3, 6, 1, 2, 1, 17, 1, 2, 0)
_FORWARDING: Oid = (1, 3, 6, 1, 2, 1, 4, 1, 0)
_SERVICES: Oid = (1, 3, 6, 1, 2, 1, 1, 7, 0)
_ROUTING_PROTOCOLS = (("OSPF-MIB", (1, 3, 6, 1, 2, 1, 14)), ("BGP4-MIB", (1, 3, 6, 1, 2, 1, 15)))


def kind(
    answers: Answers, *, descr: str, model: str, system: str | None, vendor: Vendor | None
) -> Fact | None:
    """Return the type of a device that has no rule with one."""
    if answers.has(objects.PRINTER):
        return Fact("printer", "it serves Printer-MIB")
    # The words of Linux are about a kernel, not about what it runs on.
    named = (("model", model), *(() if system == "Linux" else (("sysDescr", descr),)))
    maker = vendor.name if vendor is not None else ""
    for family, pattern in FAMILIES.get(maker, ()):
        if (word := search(pattern, model) or search(pattern, descr)) is not None:
            return Fact(family, f"{maker} family {' '.join(word[0].split())[:40]!r}")
    for name, text in named:
        for found, pattern in WORDS:
            if text and (word := search(pattern, text)) is not None:
                return Fact(found, f"{name} {' '.join(word[0].split())[:40]!r}")
    if vendor is not None and vendor.kind is not None:
        return Fact(vendor.kind, f"what {vendor.name} makes")
    if answers.has(objects.UPS):
        return Fact("power", "it serves UPS-MIB")
    found_by = _by_functions(answers, system)
    if found_by is None and system in SYSTEMS:
        return Fact(SYSTEMS[system], f"what {system} runs on")
    return found_by


def _by_functions(answers: Answers, system: str | None) -> Fact | None:
    """Return the type that a device's own functions suggest."""
    if system == "Linux":
        if answers.has(_IEEE_80211):
            return Fact("access point", "it serves IEEE802dot11-MIB")
        return Fact("server", "Linux without another sign")
    octets = answers.octets(_LLDP_CAPABILITIES) or b""
    bits = octets[0] if octets else 0
    for found, bit in _CAPABILITIES:
        if bits & (0x80 >> bit) and not (found == "router" and bits & _BRIDGE):
            return Fact(found, "its LLDP capabilities")
    if answers.has(_IEEE_80211):
        return Fact("access point", "it serves IEEE802dot11-MIB")
    return _by_layers(answers)


def _by_layers(answers: Answers) -> Fact | None:
    """Return switch or router by what the device bridges or routes."""
    if (answers.number(_BRIDGE_PORTS) or 0) > 1:
        return Fact("switch", "its dot1dBaseNumPorts")
    for name, oid in _ROUTING_PROTOCOLS:
        if answers.has(oid):
            return Fact("router", f"it serves {name}")
    services = answers.number(_SERVICES) or 0
    if services & 0x02 and services < 0x40:
        return Fact("switch", "its sysServices")
    if answers.number(_FORWARDING) == 1:
        return Fact("router", "its ipForwarding")
    return None
