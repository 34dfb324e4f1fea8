"""Names that a scenario may use for what is built in rooms above or costly to import; tests hold them against those rooms."""

from typing import Final

from clients.laboratory.scenario.model import CONTINUOUS

# Version of the file format; a file that states another one is refused.
FORMAT: Final = 1
# CONTINUOUS, and the keys of matching.mechanisms.MECHANISMS.
MECHANISMS: Final = (CONTINUOUS, "uniform", "pay-as-bid", "mcafee", "sbb", "muda", "huang", "vcg", "mmr", "sdr", "none")
TIES: Final = ("time", "pro_rata", "lot")
SELF_TRADES: Final = ("cancel_newest", "cancel_oldest", "cancel_both", "decrement")
TRANSPARENCIES: Final = ("full", "top", "trades", "none")
IMBALANCES: Final = ("dual", "single", "pool")
SCHEMES: Final = ("granular", "gec")
SHARINGS: Final = ("none", "energy", "equal", "shapley")
# The keys of laboratory.agents.catalogue.CATALOGUE.
POPULATIONS: Final = ("zi_u", "zi_c", "zip", "gdx", "aa", "market_maker", "price_taker", "truthful", "strategic", "compliance")
# How storage is planned (laboratory.planning).
LINEAR_PROGRAM: Final = "linear_program"
STORAGE_PLANS: Final = (LINEAR_PROGRAM, "dynamic_program")
OUTAGE_KINDS: Final = ("generation", "load")
# An outage of all plants of a kind.
PLANT_KINDS: Final = ("pv", "wind")
