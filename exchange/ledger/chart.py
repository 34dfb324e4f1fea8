"""Chart of accounts. House accounts have fixed ids; participants follow from FIRST_PARTICIPANT in the order of their admission, never reused.

All balances together are zero at every moment: money enters by OUTSIDE going negative.
"""

from enum import IntEnum

from exchange.accounts.participants import FIRST_PARTICIPANT

__all__ = ["FIRST_PARTICIPANT", "House"]


class House(IntEnum):
    """Accounts that belong to nobody who trades."""

    OUTSIDE = 1  # bank: deposits and withdrawals
    GRID = 2  # grid company: park import and export
    CLEARING = 3  # 结算账户: faces both sides of every energy trade
    FEES = 4  # trading fees, the operator's
    PARK_FEES = 5  # park network fee; bears the cost of losses
    NETTING_FUND = 6  # imbalance netting, returned by metered energy
    GUARANTEE_FUND = 7  # covers what a failed delivery leaves short
    ROUNDING = 8
    CONTRACTS = 9  # bilateral contracts, information only
    NETWORK_TARIFF = 10  # volumetric transmission and distribution, passed on to the grid company
    ISSUER = 11  # outside of units: certificates and credits enter from here
    # Units that no account may use: set aside, or at their end.
    LOCKED = 12  # pledged, sold under repurchase
    FROZEN = 13  # in dispute, or being switched to another scheme
    RETIRED = 14
    SURRENDERED = 15
    EXPIRED = 16
    WITHDRAWN = 17
    CONVERTED = 18  # between an instrument and the basket that takes its units
    GOVERNMENT = 19  # 主管部门: fines for a shortfall of allowances

