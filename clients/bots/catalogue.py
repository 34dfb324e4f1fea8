"""From a member's private data to its strategies. Names are those of `parkex bot`."""

from typing import Final

import numpy as np

from clients.bots.compliance import Compliance
from clients.bots.factory import Factory
from clients.bots.generator import Generator
from clients.bots.market_maker import MarketMaker
from clients.bots.private import (
    ComplianceData,
    FactoryData,
    GeneratorData,
    MarketMakerData,
    MemberFile,
    StorageData,
    StrategyData,
    ZeroIntelligenceData,
    ZipData,
)
from clients.bots.storage import Storage
from clients.bots.strategy import Strategy
from clients.bots.zero_intelligence import ZeroIntelligence
from clients.bots.zip_trader import Zip

STRATEGIES: Final[dict[str, tuple[type[StrategyData], type[Strategy]]]] = {
    "zero_intelligence": (ZeroIntelligenceData, ZeroIntelligence),
    "zip": (ZipData, Zip),
    "market_maker": (MarketMakerData, MarketMaker),
    "factory": (FactoryData, Factory),
    "generator": (GeneratorData, Generator),
    "storage": (StorageData, Storage),
    "compliance": (ComplianceData, Compliance),
}


def build_strategy(data: StrategyData, rng: np.random.Generator, label: int) -> Strategy:
    """The strategy that `data` belongs to."""
    match data:
        case FactoryData():
            return Factory(data, rng, label)
        case GeneratorData():
            return Generator(data, rng, label)
        case ZeroIntelligenceData():
            return ZeroIntelligence(data, rng, label)
        case ZipData():
            return Zip(data, rng, label)
        case MarketMakerData():
            return MarketMaker(data, rng, label)
        case StorageData():
            return Storage(data, rng, label)
        case ComplianceData():
            return Compliance(data, rng, label)


def build_strategies(member: MemberFile) -> list[Strategy]:
    """All strategies of a member, with one stream of random numbers each (PCG64), labelled from 1."""
    seeds = np.random.SeedSequence(member.seed).spawn(len(member.strategies))
    return [
        build_strategy(data, np.random.Generator(np.random.PCG64(seed)), label)
        for label, (data, seed) in enumerate(zip(member.strategies, seeds, strict=True), start=1)
    ]
