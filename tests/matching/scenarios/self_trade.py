"""Self-trade prevention: A meets B's ask, then its own, then C's."""

ASKS = """
        B sells 5 @ 10             -> #1 rests 5
        A sells 5 @ 10             -> #2 rests 5
        C sells 5 @ 11             -> #3 rests 5
"""

SCENARIOS = {
    "cancel newest": f"""{ASKS}
        A buys 12 @ 11             -> #4 trades 5 @ 10 with #1; #4 cancelled 7 self-trade
        left: ask #2 5 @ 10, ask #3 5 @ 11
    """,
    "cancel oldest": f"""{ASKS}
        A buys 12 @ 11 cancel-oldest -> #4 trades 5 @ 10 with #1; #2 cancelled 5 self-trade; #4 trades 5 @ 11 with #3; #4 rests 2
        left: bid #4 2 @ 11
    """,
    "cancel both": f"""{ASKS}
        A buys 12 @ 11 cancel-both -> #4 trades 5 @ 10 with #1; #2 cancelled 5 self-trade; #4 cancelled 7 self-trade
        left: ask #3 5 @ 11
    """,
    "decrement where the resting order is smaller": f"""{ASKS}
        A buys 12 @ 11 decrement   -> #4 trades 5 @ 10 with #1; #2 cancelled 5 self-trade; #4 reduced 5 self-trade; #4 trades 2 @ 11 with #3
        left: ask #3 3 @ 11
    """,
    "decrement where the resting order is larger": f"""{ASKS}
        A buys 8 @ 11 decrement    -> #4 trades 5 @ 10 with #1; #2 reduced 3 self-trade; #4 cancelled 3 self-trade
        left: ask #2 2 @ 10, ask #3 5 @ 11
    """,
    "decrement where both are the same": f"""{ASKS}
        A buys 10 @ 11 decrement   -> #4 trades 5 @ 10 with #1; #2 cancelled 5 self-trade; #4 cancelled 5 self-trade
        left: ask #3 5 @ 11
    """,
    "allow": f"""{ASKS}
        A buys 12 @ 11 allow       -> #4 trades 5 @ 10 with #1; #4 trades 5 @ 10 with #2; #4 trades 2 @ 11 with #3
        left: ask #3 3 @ 11
    """,
    "an own order that is not met does not matter": f"""{ASKS}
        A buys 5 @ 11              -> #4 trades 5 @ 10 with #1
        left: ask #2 5 @ 10, ask #3 5 @ 11
    """,
    "an own order behind the limit does not matter": """
        A sells 5 @ 11             -> #1 rests 5
        A buys 5 @ 10              -> #2 rests 5
        left: bid #2 5 @ 10, ask #1 5 @ 11
    """,
    "the entering order decides": """
        A sells 5 @ 10 cancel-oldest  -> #1 rests 5
        A buys 5 @ 10 cancel-newest   -> #2 cancelled 5 self-trade
        left: ask #1 5 @ 10
    """,
    "ioc after cancel oldest": """
        A sells 5 @ 10                   -> #1 rests 5
        A buys 4 @ 10 ioc cancel-oldest  -> #1 cancelled 5 self-trade; #2 cancelled 4 immediate-remainder
        left: nothing
    """,
    "fok over own orders that are cancelled": f"""{ASKS}
        A buys 10 @ 11 fok cancel-oldest -> #4 trades 5 @ 10 with #1; #2 cancelled 5 self-trade; #4 trades 5 @ 11 with #3
        left: nothing
    """,
    "fok passes over own lots in the count": f"""{ASKS}
        A buys 11 @ 11 fok cancel-oldest -> #4 cancelled 11 fill-or-kill-unfillable
        left: ask #1 5 @ 10, ask #2 5 @ 10, ask #3 5 @ 11
    """,
    "fok with cancel newest counts to the own order": f"""{ASKS}
        A buys 6 @ 11 fok          -> #4 cancelled 6 fill-or-kill-unfillable
        A buys 5 @ 11 fok          -> #5 trades 5 @ 10 with #1
        left: ask #2 5 @ 10, ask #3 5 @ 11
    """,
    "fok with cancel both counts to the own order": f"""{ASKS}
        A buys 6 @ 11 fok cancel-both -> #4 cancelled 6 fill-or-kill-unfillable
        left: ask #1 5 @ 10, ask #2 5 @ 10, ask #3 5 @ 11
    """,
    "fok is not filled by decrement": f"""{ASKS}
        A buys 6 @ 11 fok decrement -> #4 cancelled 6 fill-or-kill-unfillable
        left: ask #1 5 @ 10, ask #2 5 @ 10, ask #3 5 @ 11
    """,
    "a minimum counts to the own order with decrement": f"""{ASKS}
        A buys 15 @ 11 minimum=6 decrement -> #4 waits 15
        A buys 15 @ 11 minimum=5 decrement -> #5 trades 5 @ 10 with #1; #2 cancelled 5 self-trade; #5 reduced 5 self-trade
                                           ; #5 trades 5 @ 11 with #3
        left: waiting bid #4 15 @ 11 min 6
    """,
    "fok with allow counts own lots": f"""{ASKS}
        A buys 15 @ 11 fok allow   -> #4 trades 5 @ 10 with #1; #4 trades 5 @ 10 with #2; #4 trades 5 @ 11 with #3
        left: nothing
    """,
    "cancel oldest ends an iceberg with its reserve": """
        A sells 10 @ 10 iceberg=3     -> #1 rests 3 of 10
        A buys 4 @ 10 cancel-oldest   -> #1 cancelled 10 self-trade; #2 rests 4
        left: bid #2 4 @ 10
    """,
    "decrement takes at most the peak, which is refilled": """
        A sells 10 @ 10 iceberg=3     -> #1 rests 3 of 10
        B sells 4 @ 10                -> #2 rests 4
        A buys 5 @ 10 decrement       -> #1 reduced 3 self-trade; #1 refilled 3; #3 reduced 3 self-trade; #3 trades 2 @ 10 with #2
        left: ask #2 2 @ 10, ask #1 3 of 7 @ 10
    """,
    "decrement of a peak in part": """
        A sells 10 @ 10 iceberg=3     -> #1 rests 3 of 10
        A buys 2 @ 10 decrement       -> #1 reduced 2 self-trade; #2 cancelled 2 self-trade
        left: ask #1 1 of 8 @ 10
    """,
    "decrement of a whole peak by an order that ends with it": """
        A sells 5 @ 10 iceberg=3      -> #1 rests 3 of 5
        A buys 3 @ 10 decrement       -> #1 reduced 3 self-trade; #1 refilled 2; #2 cancelled 3 self-trade
        left: ask #1 2 @ 10
    """,
    "decrement of all peaks": """
        A sells 5 @ 10 iceberg=3      -> #1 rests 3 of 5
        A buys 7 @ 10 decrement       -> #1 reduced 3 self-trade; #1 refilled 2; #2 reduced 3 self-trade
                                       ; #1 cancelled 2 self-trade; #2 reduced 2 self-trade; #2 rests 2
        left: bid #2 2 @ 10
    """,
    "an iceberg that enters is decremented with all of its quantity": """
        A sells 6 @ 10                     -> #1 rests 6
        A buys 10 @ 10 iceberg=2 decrement -> #1 cancelled 6 self-trade; #2 reduced 6 self-trade; #2 rests 2 of 4
        left: bid #2 2 of 4 @ 10
    """,
    "the count stops at an own order between two peaks": """
        B sells 10 @ 10 iceberg=3     -> #1 rests 3 of 10
        A sells 1 @ 10                -> #2 rests 1
        A buys 4 @ 10 fok             -> #3 cancelled 4 fill-or-kill-unfillable
        A buys 3 @ 10 fok             -> #4 trades 3 @ 10 with #1; #1 refilled 3
        left: ask #2 1 @ 10, ask #1 3 of 7 @ 10
    """,
}
