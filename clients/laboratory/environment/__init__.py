"""Learning participants on the exchange: `single.ParkEnvironment` for Gymnasium, `several.ParkMarket` for PettingZoo (docs/learning.md).

Rooms, low to high: `seeds` keeps training and evaluation apart, `observation` says what is seen, `decisions` plays an episode decision by decision;
`learning` judges what was learnt. Only `single` and `several` need the extra `laboratory`.
"""
