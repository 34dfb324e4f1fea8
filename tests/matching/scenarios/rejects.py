"""Refused entries: each reason, and of several the one with the lowest number."""

ASK = """
        A sells 5 @ 10             -> #1 rests 5
        B buys 4 @ 9 all-or-none   -> #2 waits 4
        B buys 4 @ 9 stop=12       -> #3 waits 4
"""
STANDS = """
        left: ask #1 5 @ 10, waiting bid #2 4 @ 9 min 4, stop bid #3 4 @ 9 at 12
"""

SCENARIOS = {
    "unknown kind": f"""{ASK}
        C buys 1 @ 1 kind:=0       -> rejected unknown-kind
        C buys 1 @ 1 kind:=10      -> rejected unknown-kind
        C buys 1 @ 1 kind:=255     -> rejected unknown-kind
        {STANDS}
    """,
    "unknown book": f"""{ASK}
        C buys 1 @ 1 book=3            -> rejected unknown-book
        C buys 1 @ 1 book=-1           -> rejected unknown-book
        C buys 1 @ 1 book=2147483647   -> rejected unknown-book
        C buys 1 @ 1 book=-2147483648  -> rejected unknown-book
        basket C buys 1 @ 1 book=3     -> rejected unknown-book
        phase auction book=3           -> rejected unknown-book
        uncross 1 book=3               -> rejected unknown-book
        band 1..2 book=3               -> rejected unknown-book
        mass cancel A book=3           -> rejected unknown-book
        {STANDS}
    """,
    "unknown order": f"""{ASK}
        cancel #4                      -> rejected unknown-order
        expire #0                      -> rejected unknown-order
        amend #-1 to 1 @ 1             -> rejected unknown-order
        cancel #9223372036854775807    -> rejected unknown-order
        cancel #-9223372036854775808   -> rejected unknown-order
        {STANDS}
    """,
    "an order that ended is unknown": """
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 10              -> #2 trades 5 @ 10 with #1
        cancel #1                  -> rejected unknown-order
        amend #2 to 5 @ 10         -> rejected unknown-order
        left: nothing
    """,
    "unknown side": f"""{ASK}
        C buys 1 @ 1 side:=2       -> rejected unknown-side
        C buys 1 @ 1 side:=255     -> rejected unknown-side
        basket C buys 1 @ 1 side:=2 -> rejected unknown-side
        mass cancel A buy side:=2  -> rejected unknown-side
        mass cancel C side:=2      -> nothing
        {STANDS}
    """,
    "unknown time in force": f"""{ASK}
        C buys 1 @ 1 time_in_force:=6       -> rejected unknown-time-in-force
        C buys 1 @ 1 time_in_force:=255     -> rejected unknown-time-in-force
        basket C buys 1 @ 1 time_in_force:=6 -> rejected unknown-time-in-force
        {STANDS}
    """,
    "unknown self-trade prevention": f"""{ASK}
        C buys 1 @ 1 self_trade:=5          -> rejected unknown-self-trade
        C buys 1 @ 1 self_trade:=255        -> rejected unknown-self-trade
        amend #1 to 1 @ 1 self_trade:=5     -> rejected unknown-self-trade
        cancel #3 self_trade:=5             -> #3 cancelled 4 requested
        left: ask #1 5 @ 10, waiting bid #2 4 @ 9 min 4
    """,
    "unknown flags": f"""{ASK}
        C buys 1 @ 1 flags:=64              -> rejected unknown-flags
        C buys 1 @ 1 flags:=65535           -> rejected unknown-flags
        amend #1 to 1 @ 1 flags:=4          -> rejected unknown-flags
        amend #1 to 1 @ 1 flags:=32         -> rejected unknown-flags
        mass cancel A flags:=8              -> rejected unknown-flags
        phase halted flags:=65535           -> phase halted
        {STANDS}
    """,
    "quantity out of range": f"""{ASK}
        C buys 0 @ 1                        -> rejected quantity-out-of-range
        amend #1 to 0 @ 10                  -> rejected quantity-out-of-range
        basket C buys 0 @ 1                 -> rejected quantity-out-of-range
        phase auction quantity_lots:=3      -> rejected quantity-out-of-range
        phase auction quantity_lots:=4294967295 -> rejected quantity-out-of-range
        {STANDS}
    """,
    "owner out of range": f"""{ASK}
        C buys 1 @ 1 owner:=-1              -> rejected owner-out-of-range
        C buys 1 @ 1 owner:=-2147483648     -> rejected owner-out-of-range
        basket C buys 1 @ 1 owner:=-1       -> rejected owner-out-of-range
        mass cancel C owner:=-1             -> rejected owner-out-of-range
        C buys 1 @ 1 owner:=1048576         -> rejected owner-out-of-range
        C buys 1 @ 1 owner:=2147483647      -> rejected owner-out-of-range
        mass cancel C owner:=1048576        -> rejected owner-out-of-range
        mass cancel C owner:=1048575        -> nothing
        {STANDS}
    """,
    "display out of range": f"""{ASK}
        C buys 3 @ 1 iceberg=0              -> rejected display-out-of-range
        C buys 3 @ 1 iceberg=4              -> rejected display-out-of-range
        C buys 3 @ 1 iceberg=4294967295     -> rejected display-out-of-range
        C buys 1001 @ 1 iceberg=1           -> rejected display-out-of-range
        C buys 3 @ 1 display_lots:=9        -> #8 rests 3
        cancel #8                           -> #8 cancelled 3 requested
        {STANDS}
    """,
    "minimum out of range": f"""{ASK}
        C buys 3 @ 1 minimum=0              -> rejected minimum-out-of-range
        C buys 3 @ 1 minimum=4              -> rejected minimum-out-of-range
        C buys 3 @ 1 minimum=4294967295     -> rejected minimum-out-of-range
        C buys 3 @ 1 min_lots:=9            -> #7 rests 3
        cancel #7                           -> #7 cancelled 3 requested
        {STANDS}
    """,
    "order id reused": f"""{ASK}
        C buys 1 @ 1 order_id:=3            -> rejected order-id-out-of-sequence
        C buys 1 @ 1 order_id:=0            -> rejected order-id-out-of-sequence
        C buys 1 @ 1 order_id:=-1           -> rejected order-id-out-of-sequence
        C buys 1 @ 1 order_id:=-9223372036854775808 -> rejected order-id-out-of-sequence
        basket C buys 1 @ 1 order_id:=3     -> rejected order-id-out-of-sequence
        {STANDS}
    """,
    "the largest quantity with fields that do not count": """
        A sells 3 @ 9 iceberg=1                                  -> #1 rests 1 of 3
        B buys 4294967295 @ 8 minimum=1 display_lots:=1          -> #2 waits 4294967295
        B buys 4294967295 @ 7 display_lots:=1 stop_ticks:=5      -> #3 rests 4294967295
        left: bid #3 4294967295 @ 7, ask #1 1 of 3 @ 9, waiting bid #2 4294967295 @ 8 min 1
    """,
    "ids may leave gaps": """
        A buys 1 @ 1 order_id:=5            -> #5 rests 1
        A buys 1 @ 1 order_id:=3            -> rejected order-id-out-of-sequence
        A buys 1 @ 1 order_id:=100000       -> #100000 rests 1
        left: bid #5 1 @ 1, bid #100000 1 @ 1
    """,
    "an id may be far above the last, but not too far": """
        A buys 1 @ 1 order_id:=9223372036854775807 -> rejected order-id-out-of-sequence
        A buys 1 @ 1 order_id:=1048576      -> rejected order-id-out-of-sequence
        A buys 1 @ 1 order_id:=1048575      -> #1048575 rests 1
        A buys 1 @ 1 order_id:=2097152      -> rejected order-id-out-of-sequence
        A buys 1 @ 1 order_id:=9223372036854775807 -> rejected order-id-out-of-sequence
        A buys 1 @ 1 order_id:=2097151      -> #2097151 rests 1
        left: bid #1048575 1 @ 1, bid #2097151 1 @ 1
    """,
    "the first id may be 0": """
        A buys 1 @ 1 order_id:=0            -> #0 rests 1
        A buys 1 @ 1 order_id:=0            -> rejected order-id-out-of-sequence
        cancel #0                           -> #0 cancelled 1 requested
        left: nothing
    """,
    "an id that was refused is not used up": """
        A buys 0 @ 1 order_id:=7            -> rejected quantity-out-of-range
        A buys 1 @ 1 order_id:=6            -> #6 rests 1
        left: bid #6 1 @ 1
    """,
    "an id of an order that ended at once is used up": """
        A buys 1 @ 1 ioc order_id:=7        -> #7 cancelled 1 immediate-remainder
        A buys 1 @ 1 order_id:=7            -> rejected order-id-out-of-sequence
        left: nothing
    """,
    "flags contradict": f"""{ASK}
        C buys 3 @ 1 reprice                     -> rejected flags-contradict
        C buys 3 @ 1 iceberg=1 ioc               -> rejected flags-contradict
        C buys 3 @ 1 iceberg=1 fok               -> rejected flags-contradict
        C buys 3 @ 1 iceberg=1 minimum=1         -> rejected flags-contradict
        C buys 3 @ 1 iceberg=1 all-or-none       -> rejected flags-contradict
        C buys 3 @ 1 minimum=1 all-or-none       -> rejected flags-contradict
        C buys 3 @ 1 minimum=1 fok               -> rejected flags-contradict
        C buys 3 @ 1 all-or-none fok             -> rejected flags-contradict
        C buys 3 @ 1 post-only ioc               -> rejected flags-contradict
        C buys 3 @ 1 post-only fok               -> rejected flags-contradict
        C buys 3 @ 1 post-only minimum=1         -> rejected flags-contradict
        C buys 3 @ 1 post-only all-or-none       -> rejected flags-contradict
        C buys 3 @ 1 post-only stop=1            -> rejected flags-contradict
        amend #1 to 1 @ 1 reprice                -> rejected flags-contradict
        amend #2 to 1 @ 1 post-only              -> rejected flags-contradict
        amend #3 to 1 @ 1 post-only              -> rejected flags-contradict
        basket C buys 3 @ 1 post-only            -> rejected flags-contradict
        {STANDS}
    """,
    "flags that go together": """
        A buys 3 @ 1 post-only reprice iceberg=1 -> #1 rests 1 of 3
        A buys 3 @ 2 stop=9 iceberg=1            -> #2 waits 3
        A buys 3 @ 2 stop=9 minimum=1            -> #3 waits 3
        A buys 3 @ 2 stop=9 all-or-none ioc      -> #4 waits 3
        left: bid #1 1 of 3 @ 1, stop bid #2 3 @ 2 at 9, stop bid #3 3 @ 2 at 9, stop bid #4 3 @ 2 at 9
    """,
    "of several reasons the lowest number": f"""{ASK}
        C buys 0 @ 1 owner:=-1 flags:=65535 self_trade:=9 time_in_force:=9 side:=9 book=9 kind:=77 -> rejected unknown-kind
        C buys 0 @ 1 owner:=-1 flags:=65535 self_trade:=9 time_in_force:=9 side:=9 book=9 -> rejected unknown-book
        C buys 0 @ 1 owner:=-1 flags:=65535 self_trade:=9 time_in_force:=9 side:=9 -> rejected unknown-side
        C buys 0 @ 1 owner:=-1 flags:=65535 self_trade:=9 time_in_force:=9 -> rejected unknown-time-in-force
        C buys 0 @ 1 owner:=-1 flags:=65535 self_trade:=9 -> rejected unknown-self-trade
        C buys 0 @ 1 owner:=-1 flags:=65535             -> rejected unknown-flags
        C buys 0 @ 1 owner:=-1 flags:=63                -> rejected quantity-out-of-range
        C buys 1 @ 1 owner:=-1 flags:=63                -> rejected owner-out-of-range
        C buys 1 @ 1 flags:=63                          -> rejected display-out-of-range
        C buys 1 @ 1 flags:=63 display_lots:=1          -> rejected minimum-out-of-range
        C buys 1 @ 1 flags:=63 display_lots:=1 min_lots:=1 order_id:=1 -> rejected order-id-out-of-sequence
        C buys 1 @ 1 flags:=63 display_lots:=1 min_lots:=1 -> rejected flags-contradict
        C buys 1 @ 1 flags:=63 display_lots:=1 min_lots:=1 kind:=5 -> rejected flags-contradict
        phase auction                                   -> phase auction
        C buys 1 @ 1 flags:=1 time_in_force:=3          -> rejected flags-contradict
        C buys 1 @ 1 ioc kind:=5                        -> rejected invalid-basket
        C buys 1 @ 1 ioc                                -> rejected phase-forbids
        {STANDS}
    """,
    "of several reasons of an amend": f"""{ASK}
        amend #9 to 0 @ 1 self_trade:=9 flags:=64       -> rejected unknown-order
        amend #1 to 0 @ 1 self_trade:=9 flags:=64       -> rejected unknown-self-trade
        amend #1 to 0 @ 1 flags:=66                     -> rejected unknown-flags
        amend #1 to 0 @ 1 flags:=2                      -> rejected quantity-out-of-range
        phase halted                                    -> phase halted
        amend #1 to 9 @ 1 flags:=2                      -> rejected flags-contradict
        amend #1 to 9 @ 1                               -> rejected phase-forbids
        {STANDS}
    """,
    "of several reasons of a phase": f"""{ASK}
        phase continuous book=9 quantity_lots:=7        -> rejected unknown-book
        phase continuous quantity_lots:=7               -> rejected quantity-out-of-range
        phase continuous                                -> rejected phase-forbids
        {STANDS}
    """,
}
