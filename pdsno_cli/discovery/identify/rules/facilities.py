"""Power, climate and sensors; broadcast equipment."""

from __future__ import annotations

from pdsno_cli.discovery.identify.rule import Rule

_UPS_VERSION = ("@1.3.6.1.2.1.33.1.1.3.0", "@1.3.6.1.2.1.33.1.1.4.0")

RULES = (
    Rule(os="NetBotz", oid=("5528", "52674"), kind="environment", vendor="APC", version=r"(?:BotzWare|Version|AOS) ?V?([\w.]+)", model=r"(NetBotz \S+)"),
    Rule(os="APC AOS", oid=("318.1.3.14", "318.1.3.19", "318.1.3.8"), kind="environment", version=(r"AF1:(v[\w.]+)", r"PF:(v[\w.]+)"), model=("@318.1.1.27.1.1.1.3.0", r"MN: ?(\S+)"), serial=("@318.1.1.27.1.1.1.5.0", r"SN: ?(\w+)")),
    Rule(os="APC AOS", oid="318", descr=r"Environmental|EMU", kind="environment", version=r"PF:(v[\w.]+)"),
    Rule(os="APC AOS", oid="318", kind="power", version=r"PF: ?(v[\w.]+)",
         model=("@318.1.1.1.1.1.1.0", "@318.1.1.26.2.1.8.1", "@318.1.1.12.1.5.0", "@318.1.1.8.1.5.0", "@318.1.1.4.1.4.0", r"MN: ?(\S+)"),
         serial=("@318.1.1.1.1.2.3.0", "@318.1.1.26.2.1.9.1", "@318.1.1.12.1.6.0", "@318.1.1.8.1.6.0", r"SN: ?(\w+)")),
    Rule(os="Eaton PDU", oid=("534.6.6.7", "534.6.6.6"), kind="power", version="@534.6.6.7.1.2.1.5.0", model=("@534.6.6.7.1.2.1.2.0", "@534.6.6.7.1.2.1.3.0"), serial="@534.6.6.7.1.2.1.4.0"),
    Rule(os="Eaton UPS", oid=("534", "705"), kind="power", version=("@534.1.1.3.0", "@705.1.1.4.0", r"(?:V|FW|firmware )(\d+\.\d+\S*)", *_UPS_VERSION), model=("@534.1.1.2.0", "@705.1.1.1.0", r"^Eaton (\w*\d.*)$", "@1.3.6.1.2.1.33.1.1.2.0"), serial=("@705.1.1.7.0", "@534.1.1.6.0")),
    Rule(os="ABB CMS-700", descr=r"ABB ?Circuit ?Measurement|InSite pro M", vendor="ABB", kind="power", model=r"(CMS-?\d+|InSite pro M\w*)"),
    Rule(os="Raritan KX", oid="13742", descr=r"Dominion KX|\bKX\d|Dominion SX|CommandCenter", kind="console server", model=r"(Dominion [KS]X\S*)", version=r"(\d+\.\d+\.\d+\S*)"),
    Rule(os="Dell rPDU", oid="3711.24", vendor="Dell", kind="power"),
    Rule(os="Vigintos", oid="27993", kind="appliance"),
    Rule(os="AvediaStream", descr=r"Ardmore-Encoder", vendor="Exterity", kind="appliance"),
    Rule(os="Liebert", oid="476", kind="power", version=("@476.1.42.2.1.3.0", "@476.1.1.1.1.1.3.0", *_UPS_VERSION), model=("@476.1.42.2.1.2.0", "@476.1.42.2.4.2.1.4.1", "@1.3.6.1.2.1.33.1.1.2.0"), serial=("@476.1.42.2.1.4.0", "@476.1.42.2.4.2.1.5.1")),
    Rule(os="Raritan PX", oid="13742", kind="power", version=("@13742.6.3.2.3.1.6.1.1.1", "@13742.4.1.1.1.0", r"(\d+\.\d+\.\d+\S*)"), model=("@13742.6.3.2.1.1.3.1", "@13742.4.1.1.12.0", r"Dominion PX \(([\w-]+)\)", r"(PX\d?-\S*|EMX\S*)"), serial=("@13742.6.3.2.1.1.4.1", "@13742.4.1.1.2.0")),
    Rule(os="Sentry", oid="1718", kind="power", version=("@1718.4.1.1.1.3.0 ~ (\\d+\\.\\d+\\S*)", "@1718.3.1.1.0 ~ Version (\\S+)"), model=("@1718.4.1.2.2.1.2 ~ (\\S+)", "@1718.3.1.10.0"), serial=("@1718.4.1.2.2.1.5", "@1718.4.1.1.1.4.0", "@1718.3.1.4.0")),
    Rule(os="Geist", oid=("21239", "17373"), kind="power", version=("@21239.5.2.1.2.0", "@21239.5.1.1.2.0", "@21239.2.1.2.0", "@17373.4.1.1.2.0")),
    Rule(os="Rittal CMC", oid="2606", kind="environment", version=(r"SW (V[\w.]+)", "@2606.7.2.4.0"), model=(r"(CMC III \w+|CMC[- ]\w+)", "@2606.7.4.1.2.1.2.1"), serial=(r"SN (\d+)",)),
    Rule(os="Tripp Lite", oid="850", kind="power", model=("@850.1.1.1.2.1.5.1", "@850.10.2.2.1.9.1", "@1.3.6.1.2.1.33.1.1.2.0"), version=("@850.1.1.1.2.1.7.1", *_UPS_VERSION), serial=("@850.1.1.1.2.1.6.1", "@850.100.1.1.4.0", "@850.10.2.2.1.12.1")),
    Rule(os="CyberPower", oid=("3808", "15446"), kind="power", model=("@3808.1.1.1.1.1.1.0", "@3808.1.1.3.1.5.0"), version=("@3808.1.1.1.1.2.1.0", "@3808.1.1.3.1.3.0"), serial=("@3808.1.1.1.1.2.3.0", "@3808.1.1.3.1.6.0")),
    Rule(os="Delta", oid=("2254", "6785", "20246", "55937"), kind="power", model=("@2254.2.4.1.2.0",), version=("@2254.2.4.1.3.0", "@2254.2.4.1.4.0")),
    Rule(os="Riello", oid=("5491", "7783"), kind="power", model="@1.3.6.1.2.1.33.1.1.2.0", version=_UPS_VERSION),
    Rule(os="NetAgent", oid="935", kind="power", model=("@1.3.6.1.2.1.33.1.1.2.0", "@935.1.1.1.1.1.1.0"), version=(*_UPS_VERSION, "@935.1.1.1.1.2.1.0"), serial="@935.1.1.1.1.2.3.0"),
    Rule(os="Socomec", oid="4555", kind="power", model=("@4555.1.1.1.1.1.1.0", "@4555.1.1.7.1.1.1.0"), version=("@4555.1.1.1.1.1.3.0", "@4555.1.1.7.1.1.3.0"), serial=("@4555.1.1.1.1.1.2.0", "@4555.1.1.7.1.1.4.0")),
    Rule(os="Eltek", oid=("12148", "13858"), kind="power", version=("@12148.9.1.3.0", "@12148.10.2.3.0"), model="@12148.9.1.2.0", serial="@12148.9.1.1.0 ~ ^(\\d+)$"),
    Rule(os="Schleifenbauer", oid="31034", kind="power", version="@31034.12.1.1.1.2.2.1.2.1", serial="@31034.12.1.1.1.2.2.1.3.1", model="@31034.12.1.1.1.2.2.1.4.1"),
    Rule(os="Gude", oid="28507", kind="power", model=r"^(.+?)(?: - |$)", version=r"[vV]?(\d+\.\d+\.\d+)"),
    Rule(os="AKCP", oid="3854", kind="environment", model=(r"(s(?:ensor|ecurity)Probe\S*(?: ?v[\d.]+)?)",), version=r"(?:SW|Version|rev)[: ]*(\d+\.\d+\S*)"),
    Rule(os="HW group", oid="21796", kind="environment", model=r"^(\S+)", version=r"(?:SW|Ver|v)[: .]*(\d+\.\d+\.\d+)"),
    Rule(os="RoomAlert", oid="20916", kind="environment", model=r"(Room Alert \w+|TemPageR\S*)", version=r"(?:v|Version )(\d+\.\d+\S*)"),
    Rule(os="Websensor", oid="22626", kind="environment", version="@22626.1.5.2.1.3.0"),
    Rule(os="Papouch", serves="18248", vendor="Papouch", kind="environment"),
    Rule(os="ServersCheck", oid="17095", kind="environment", version="@17095.1.2.0 ~ (\\d+\\.\\d+\\S*)", model=("@17095.1.1.0", "@1.3.6.1.2.1.1.5.0 ~ Gateway: (\\S+)")),
    Rule(os="Netspire", oid="1732", kind="appliance", model="@1732.2.1.41.0", serial="@1732.2.1.11.0"),
    Rule(os="pCOWeb", oid="9839", kind="environment", version=r"(\d+\.\d+\.\d+\S*)"),
    Rule(os="SiteBoss", oid="3052", kind="environment", version=r"(\d+\.\d+\.\d+\S*)", model=r"^(?:Asentria )?(SiteBoss \S+|S\d+)"),
    Rule(os="Dantel", oid="994", kind="environment"),
    Rule(os="Vertiv Watchdog", oid="901", kind="environment"),
    Rule(os="Rohde & Schwarz", oid=("2566", "19831"), kind="appliance", model=r"^(\S+)", version="@2566.127.1.2.167.1.1.1.4.0", serial="@2566.127.1.2.167.1.1.1.2.0"),
    Rule(os="Ecreso FM", serves="6404", vendor="Ecreso", kind="appliance", version="@6404.3.1.2.9.1.6.0", serial="@6404.3.1.2.9.1.8.0"),
    Rule(os="Kylone", serves="51009", vendor="Kylone", kind="appliance", model="@51009.1.1"),
    Rule(os="Unitrends", serves="21865", vendor="Unitrends", kind="server", version=r"^Linux \S+ (\d\S+)"),
    Rule(os="Pandacom", oid="3652", kind="transport", serial="@3652.3.2.1.13.0"),
    Rule(os="UPS", serves="1.3.6.1.2.1.33.1.1", unless=r"^Linux|Windows", kind="power", model="@1.3.6.1.2.1.33.1.1.2.0", version=_UPS_VERSION),
)  # fmt: skip
