"""Documents of certificates: their issuance from meter data, claims and retirements (docs/rules.md, "Certificates", "Granular certificates")."""

from typing import ClassVar, Final

import msgspec

from exchange.protocol.document import Document


class SetCertificateRules(Document, frozen=True, kw_only=True):
    """What holds for certificates from a time on; earlier periods keep their own rules.

    `storage`: none (the China scheme: discharge earns nothing) or energytag (discharge of certified charge earns certificates).
    `allocation` of discharge to charge: fifo, lifo or weighted. `same_year_from`: the first year of consumption that needs units generated in it.
    """

    SCHEMA: ClassVar[str] = "set_certificate_rules"
    effective_ns: int
    storage: str = "none"
    allocation: str = "fifo"
    same_year_from: int = 2026


class DeviceVolume(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """On-grid energy of a device in the month as an application states it; no more than its meter says can be certified."""

    device: int
    energy_wh: int


class IssueMonthlyCertificates(Document, frozen=True, kw_only=True):
    """Issue the green certificates of a month, such as 2026-07, for every device of the scheme gec that has none of it yet.

    `volumes`: stated on-grid energies; a device without one is certified by its meter.
    """

    SCHEMA: ClassVar[str] = "issue_monthly_certificates"
    month: str
    volumes: list[DeviceVolume] = msgspec.field(default_factory=list)


class FileSelfUseProof(Document, frozen=True, kw_only=True):
    """The user of a device's energy, who is not its generator, files their energy contract and a proof of payment.

    What was certified of that self-use comes to the user, now and from now on.
    """

    SCHEMA: ClassVar[str] = "file_self_use_proof"
    device: int
    contract: str
    payment_reference: str


class RetireUnits(Document, frozen=True, kw_only=True):
    """Retire units for good, for the consumption of a beneficiary (0: the sender) in a half-open period of one calendar year.

    `symbol` "" stands for granular certificates. `ranges` names serial numbers as they are printed, and a quantity of 0 means all of them; without
    ranges the units are those that come first in the account, of granular certificates those generated in the half-open interval where one is given:
    with a quantity of 0 all of them.
    """

    SCHEMA: ClassVar[str] = "retire_units"
    symbol: str
    purpose: str
    consumed_from_ns: int
    consumed_to_ns: int
    quantity_lots: int = 0
    ranges: list[str] = msgspec.field(default_factory=list)
    beneficiary: int = 0
    generated_from_ns: int = 0
    generated_to_ns: int = 0


class GrantMandate(Document, frozen=True, kw_only=True):
    """The sender lets another account retire units for it."""

    SCHEMA: ClassVar[str] = "grant_mandate"
    agent: int


class RevokeMandate(Document, frozen=True, kw_only=True):
    """The sender takes a mandate back; what was retired under it stays."""

    SCHEMA: ClassVar[str] = "revoke_mandate"
    agent: int


class RecordCharge(Document, frozen=True, kw_only=True):
    """A storage charge record: energy that the sender's storage took in, in one quarter-hour, and how much of it certificates cover.

    `certified_wh` of the sender's granular certificates of the same quarter-hour are cancelled for it.
    """

    SCHEMA: ClassVar[str] = "record_charge"
    device: int
    period_start_ns: int
    charged_wh: int
    certified_wh: int


class RecordDischarge(Document, frozen=True, kw_only=True):
    """A storage discharge record: energy that came out in one quarter-hour. Certificates are issued for what charge records cover of it."""

    SCHEMA: ClassVar[str] = "record_discharge"
    device: int
    period_start_ns: int
    discharged_wh: int


CERTIFICATES: Final[tuple[type[Document], ...]] = (
    SetCertificateRules, IssueMonthlyCertificates, FileSelfUseProof, RetireUnits, GrantMandate, RevokeMandate, RecordCharge, RecordDischarge,
)  # fmt: skip
