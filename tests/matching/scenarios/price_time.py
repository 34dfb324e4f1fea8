"""Price, then time: limit orders, immediate orders, post-only."""

SCENARIOS = {
    "an order rests in an empty book": """
        A buys 5 @ 10              -> #1 rests 5
        left: bid #1 5 @ 10
    """,
    "an order that does not cross rests": """
        A sells 5 @ 11             -> #1 rests 5
        B buys 5 @ 10              -> #2 rests 5
        left: bid #2 5 @ 10, ask #1 5 @ 11
    """,
    "trades are at the resting order's price": """
        A sells 5 @ 10             -> #1 rests 5
        B buys 3 @ 12              -> #2 trades 3 @ 10 with #1
        left: ask #1 2 @ 10
    """,
    "a sell trades at the bid": """
        A buys 5 @ 10              -> #1 rests 5
        B sells 3 @ 8              -> #2 trades 3 @ 10 with #1
        left: bid #1 2 @ 10
    """,
    "at one price the first in time trades first": """
        A sells 5 @ 10             -> #1 rests 5
        B sells 5 @ 10             -> #2 rests 5
        C buys 7 @ 10              -> #3 trades 5 @ 10 with #1; #3 trades 2 @ 10 with #2
        left: ask #2 3 @ 10
    """,
    "the best price trades before the first in time": """
        A sells 5 @ 11             -> #1 rests 5
        B sells 5 @ 10             -> #2 rests 5
        C buys 7 @ 11              -> #3 trades 5 @ 10 with #2; #3 trades 2 @ 11 with #1
        left: ask #1 3 @ 11
    """,
    "a sell meets bids from the highest": """
        A buys 5 @ 8               -> #1 rests 5
        B buys 5 @ 9               -> #2 rests 5
        C sells 7 @ 8              -> #3 trades 5 @ 9 with #2; #3 trades 2 @ 8 with #1
        left: bid #1 3 @ 8
    """,
    "what the limit does not reach rests": """
        A sells 5 @ 10             -> #1 rests 5
        B sells 5 @ 12             -> #2 rests 5
        C buys 8 @ 11              -> #3 trades 5 @ 10 with #1; #3 rests 3
        left: bid #3 3 @ 11, ask #2 5 @ 12
    """,
    "prices may be negative": """
        A sells 5 @ -7             -> #1 rests 5
        B buys 2 @ -7              -> #2 trades 2 @ -7 with #1
        C buys 2 @ -8              -> #3 rests 2
        left: bid #3 2 @ -8, ask #1 3 @ -7
    """,
    "prices reach over all of int32": """
        A sells 5 @ -2147483648    -> #1 rests 5
        B buys 9 @ 2147483647      -> #2 trades 5 @ -2147483648 with #1; #2 rests 4
        C sells 1 @ 2147483647     -> #3 trades 1 @ 2147483647 with #2
        left: bid #2 3 @ 2147483647
    """,
    "quantities reach to the largest": """
        A sells 4294967295 @ 10    -> #1 rests 4294967295
        B sells 4294967295 @ 10    -> #2 rests 4294967295
        C buys 4294967295 @ 10     -> #3 trades 4294967295 @ 10 with #1
        left: ask #2 4294967295 @ 10
    """,
    "gtd, session and gate orders rest as gtc does": """
        A buys 5 @ 10 gtd          -> #1 rests 5
        A buys 5 @ 10 session      -> #2 rests 5
        A buys 5 @ 10 gate         -> #3 rests 5
        left: bid #1 5 @ 10, bid #2 5 @ 10, bid #3 5 @ 10
    """,
    "books do not meet": """
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 10 book=1       -> #2 rests 5
        left: ask #1 5 @ 10
        left 1: bid #2 5 @ 10
    """,
    "ioc ends what it cannot trade": """
        A sells 5 @ 10             -> #1 rests 5
        B buys 8 @ 10 ioc          -> #2 trades 5 @ 10 with #1; #2 cancelled 3 immediate-remainder
        left: nothing
    """,
    "ioc that trades whole": """
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 10 ioc          -> #2 trades 5 @ 10 with #1
        left: nothing
    """,
    "ioc with nothing to meet": """
        A sells 5 @ 10             -> #1 rests 5
        B buys 8 @ 9 ioc           -> #2 cancelled 8 immediate-remainder
        left: ask #1 5 @ 10
    """,
    "fok trades whole over two prices": """
        A sells 5 @ 10             -> #1 rests 5
        B sells 5 @ 11             -> #2 rests 5
        C buys 8 @ 11 fok          -> #3 trades 5 @ 10 with #1; #3 trades 3 @ 11 with #2
        left: ask #2 2 @ 11
    """,
    "fok to the last lot": """
        A sells 5 @ 10             -> #1 rests 5
        B sells 5 @ 11             -> #2 rests 5
        C buys 10 @ 11 fok         -> #3 trades 5 @ 10 with #1; #3 trades 5 @ 11 with #2
        left: nothing
    """,
    "fok one lot short ends untouched": """
        A sells 5 @ 10             -> #1 rests 5
        B sells 5 @ 11             -> #2 rests 5
        C buys 11 @ 11 fok         -> #3 cancelled 11 fill-or-kill-unfillable
        left: ask #1 5 @ 10, ask #2 5 @ 11
    """,
    "fok counts only what its limit reaches": """
        A sells 5 @ 10             -> #1 rests 5
        B sells 5 @ 12             -> #2 rests 5
        C buys 6 @ 11 fok          -> #3 cancelled 6 fill-or-kill-unfillable
        left: ask #1 5 @ 10, ask #2 5 @ 12
    """,
    "post-only rests where it does not cross": """
        A sells 5 @ 11             -> #1 rests 5
        B buys 5 @ 10 post-only    -> #2 rests 5
        left: bid #2 5 @ 10, ask #1 5 @ 11
    """,
    "post-only ends where it would trade": """
        A sells 5 @ 10             -> #1 rests 5
        B buys 5 @ 10 post-only    -> #2 cancelled 5 post-only-would-cross
        C buys 1 @ 12 post-only    -> #3 cancelled 1 post-only-would-cross
        left: ask #1 5 @ 10
    """,
    "post-only asks not whose order it would meet": """
        A sells 5 @ 10                           -> #1 rests 5
        A buys 5 @ 10 post-only cancel-oldest    -> #2 cancelled 5 post-only-would-cross
        left: ask #1 5 @ 10
    """,
    "post-only with reprice enters one tick behind": """
        A sells 5 @ 10                      -> #1 rests 5
        B buys 5 @ 12 post-only reprice     -> #2 rests 5 @ 9
        C sells 5 @ 9 post-only reprice     -> #3 rests 5 @ 10
        left: bid #2 5 @ 9, ask #1 5 @ 10, ask #3 5 @ 10
    """,
    "post-only with reprice that does not cross keeps its price": """
        A sells 5 @ 10                      -> #1 rests 5
        B buys 5 @ 7 post-only reprice      -> #2 rests 5
        left: bid #2 5 @ 7, ask #1 5 @ 10
    """,
    "no tick below the lowest": """
        A sells 5 @ -2147483648                    -> #1 rests 5
        B buys 5 @ 7 post-only reprice             -> #2 cancelled 5 post-only-would-cross
        left: ask #1 5 @ -2147483648
    """,
    "no tick above the highest": """
        A buys 5 @ 2147483647                      -> #1 rests 5
        B sells 5 @ 7 post-only reprice            -> #2 cancelled 5 post-only-would-cross
        left: bid #1 5 @ 2147483647
    """,
    "cancel and expire": """
        A buys 5 @ 10              -> #1 rests 5
        A buys 6 @ 10              -> #2 rests 6
        cancel #1                  -> #1 cancelled 5 requested
        expire #2                  -> #2 cancelled 6 expired
        left: nothing
    """,
    "what is left of a traded order is cancelled": """
        A buys 5 @ 10              -> #1 rests 5
        B sells 2 @ 10             -> #2 trades 2 @ 10 with #1
        cancel #1                  -> #1 cancelled 3 requested
        left: nothing
    """,
}
