"""Documents of meters: devices behind the metering points, and their readings."""

from typing import ClassVar, Final

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


METERING: Final[tuple[type[Document], ...]] = (RegisterDevice,)
