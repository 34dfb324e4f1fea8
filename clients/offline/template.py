"""A file of orders to start from, with a line of each kind; docs/guides/match-a-file.md goes through it."""

from typing import Final

from clients.offline.columns import COLUMNS

# Column=value, the empty ones left out. A call auction; every type of order; a linked basket; the ways in which orders end.
_LINES: Final = """
time=0   instrument=GP-1015 action=phase phase=auction
time=1   instrument=GP-1015 action=place order_id=S1 owner=pv-roof side=sell price=0.3800 quantity=50.0
time=2   instrument=GP-1015 action=place order_id=B1 owner=foundry side=buy price=0.4000 quantity=30.0
time=300 instrument=GP-1015 action=uncross reference_price=0.3900
time=300 instrument=GP-1015 action=phase phase=continuous
time=300 instrument=GP-1015 action=band band_low=0.3000 band_high=0.5000
time=301 instrument=GP-1015 action=place order_id=S2 owner=wind-1 side=sell type=iceberg time_in_force=gtc price=0.4000 quantity=80.0 \
display_quantity=20.0 label=morning self_trade_prevention=cancel_oldest
time=302 instrument=GP-1015 action=place order_id=B2 owner=foundry side=buy type=market price=0.4200 quantity=25.0
time=303 instrument=GP-1015 action=place order_id=B3 owner=bakery side=buy type=post_only+reprice time_in_force=session price=0.3900 quantity=10.0
time=304 instrument=GP-1015 action=place order_id=B4 owner=cold-store side=buy type=minimum price=0.3850 quantity=60.0 minimum_quantity=40.0
time=305 instrument=GP-1015 action=place order_id=B5 owner=cold-store side=buy type=all_or_none time_in_force=gtd price=0.3700 quantity=30.0
time=306 instrument=GP-1015 action=place order_id=S3 owner=trader side=sell type=stop price=0.3500 stop_price=0.3750 quantity=15.0
time=307 instrument=GP-1015 action=place order_id=B6 owner=trader side=buy type=stop_limit time_in_force=gate price=0.4500 stop_price=0.4400 \
quantity=15.0
time=308 instrument=GP-1015 action=place order_id=B7 owner=bakery side=buy type=limit time_in_force=fok price=0.4000 quantity=5.0
time=400 action=amend order_id=B3 price=0.3900 quantity=8.0
time=401 instrument=GP-1900 action=place order_id=B8 owner=foundry side=buy price=0.7000 quantity=20.0
time=402 instrument=GP-1015 action=basket order_id=X1 owner=storage side=buy price=0.4000 quantity=20.0 legs=2
time=402 instrument=GP-1900 action=basket order_id=X2 owner=storage side=sell price=0.6900 quantity=18.0
time=500 action=cancel order_id=B3
time=501 action=expire order_id=B5
time=502 instrument=GP-1015 action=mass_cancel owner=wind-1 side=sell label=morning
time=600 instrument=GP-1015 action=phase phase=halted
"""


def _row(line: str) -> str:
    values = dict(value.split("=") for value in line.split())
    return ",".join(values.pop(column, "") for column in COLUMNS) + "\n"


TEMPLATE: Final = ",".join(COLUMNS) + "\n" + "".join(map(_row, _LINES.strip().splitlines()))
