"""Documents of meters: devices behind the metering points, and their readings."""

from typing import ClassVar, Final

import msgspec

from exchange.protocol.document import Document


class RegisterDevice(Document, frozen=True, kw_only=True):
    """A metered device behind the metering point of an account. The fold assigns the device id.

    `kind`: load, pv, csp, wind, biomass, hydro, storage, heat, cold. `capacity_w` bounds what a quarter-hour can show. `commissioned_ns`: start of
    operation. `scheme`: what its generation is certified by: granular (by quarter-hour, at settlement), gec (monthly, by the national rules), none.
    `location` is free text for a certificate. `ets_source`: its reductions lie inside the boundary of a source of the national ETS.
    """

    SCHEMA: ClassVar[str] = "register_device"
    account: int
    name: str
    kind: str
    capacity_w: int
    commissioned_ns: int
    scheme: str = "none"
    location: str = ""
    ets_source: bool = False


class DeviceReadings(Document, frozen=True, kw_only=True):
    """Readings by device as runs of consecutive quarter-hours, so that a file of a million readings is a few columns.

    Run r: `counts[r]` periods of `devices[r]` from `first_starts_ns[r]` on, all of quality `qualities[r]` (measured, estimated, substituted). The
    rows of all runs, one after the other, are the entries of `import_wh` and `export_wh`: what the device took and gave in the period, both >= 0.
    `version`: preliminary (the day after), final (the month after), correction (once the month is closed). A row that is there with the same
    revision, values and quality is recognised and skipped; other values need a higher `revision`.

    Grid meter and losses: one row per entry of `grid_starts_ns`. `soc_*`: states of charge of storage devices at instants, which anchor the limits
    of their accounts. `source` names the file.
    """

    SCHEMA: ClassVar[str] = "device_readings"
    revision: int
    devices: list[int]
    first_starts_ns: list[int]
    counts: list[int]
    qualities: list[str]
    import_wh: list[int]
    export_wh: list[int]
    version: str = "preliminary"
    grid_starts_ns: list[int] = msgspec.field(default_factory=list)
    grid_import_wh: list[int] = msgspec.field(default_factory=list)
    grid_export_wh: list[int] = msgspec.field(default_factory=list)
    losses_wh: list[int] = msgspec.field(default_factory=list)
    soc_devices: list[int] = msgspec.field(default_factory=list)
    soc_at_ns: list[int] = msgspec.field(default_factory=list)
    soc_wh: list[int] = msgspec.field(default_factory=list)
    source: str = ""


class SubstituteReadings(Document, frozen=True, kw_only=True):
    """Values for `count` quarter-hours of a device from `first_start_ns` on, computed from its other readings when the command is carried out.

    `method`: interpolate (gaps of at most two hours), profile (the same quarter-hour of the same weekday in up to four earlier weeks), zero (where
    the days around show nothing at that time). A reading that is there is replaced and needs a higher `revision`; without one any revision will do.
    """

    SCHEMA: ClassVar[str] = "substitute_readings"
    device: int
    method: str
    first_start_ns: int
    count: int
    revision: int
    version: str = "preliminary"
    reason: str = ""


class FinalizeMonth(Document, frozen=True, kw_only=True):
    """Close a month: its readings are final. What comes later is a correction. With `accept_gaps` it closes although readings are missing."""

    SCHEMA: ClassVar[str] = "finalize_month"
    month: str
    month_start_ns: int
    month_end_ns: int
    accept_gaps: bool = False


class CorrectReadings(Document, frozen=True, kw_only=True):
    """Readings by account, as `meter_readings` has them, for periods of closed months; what was known before stays readable."""

    SCHEMA: ClassVar[str] = "correct_readings"
    revision: int
    reason: str
    accounts: list[int]
    period_starts_ns: list[int]
    consumption_wh: list[int]
    generation_wh: list[int]
    soc_wh: list[int]
    grid_starts_ns: list[int]
    grid_import_wh: list[int]
    grid_export_wh: list[int]
    losses_wh: list[int]


METERING: Final[tuple[type[Document], ...]] = (RegisterDevice, DeviceReadings, SubstituteReadings, FinalizeMonth, CorrectReadings)
