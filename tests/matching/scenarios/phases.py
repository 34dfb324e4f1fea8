"""Phases of a book: what each allows, and the way back to continuous trading."""

SCENARIOS = {
    "a new book is continuous": """
        phase continuous               -> rejected phase-forbids
        left: nothing
    """,
    "in an auction orders rest across the other side": """
        phase auction                  -> phase auction
        A sells 5 @ 10                 -> #1 rests 5
        B buys 5 @ 12                  -> #2 rests 5
        left: bid #2 5 @ 12, ask #1 5 @ 10
    """,
    "in an auction own orders rest across each other": """
        phase auction                  -> phase auction
        A sells 5 @ 10                 -> #1 rests 5
        A buys 5 @ 12 cancel-both      -> #2 rests 5
        left: bid #2 5 @ 12, ask #1 5 @ 10
    """,
    "in an auction icebergs rest with their peak": """
        phase auction                  -> phase auction
        A sells 9 @ 10 iceberg=2       -> #1 rests 2 of 9
        left: ask #1 2 of 9 @ 10
    """,
    "in an auction those with a minimum and stops wait": """
        phase auction                  -> phase auction
        A sells 5 @ 10                 -> #1 rests 5
        B buys 5 @ 12 minimum=1        -> #2 waits 5
        B buys 5 @ 12 all-or-none      -> #3 waits 5
        B buys 5 @ 12 stop=1           -> #4 waits 5
        left: ask #1 5 @ 10, waiting bid #2 5 @ 12 min 1, waiting bid #3 5 @ 12 min 5, stop bid #4 5 @ 12 at 1
    """,
    "in an auction nothing immediate, no post-only, no basket": """
        phase auction                  -> phase auction
        A sells 5 @ 10 ioc             -> rejected phase-forbids
        A sells 5 @ 10 fok             -> rejected phase-forbids
        A sells 5 @ 10 post-only       -> rejected phase-forbids
        A sells 5 @ 10 stop=9 ioc      -> rejected phase-forbids
        basket A sells 5 @ 10          -> rejected phase-forbids
        left: nothing
    """,
    "in an auction amends go without matching": """
        phase auction                  -> phase auction
        A sells 5 @ 10                 -> #1 rests 5
        B buys 5 @ 9                   -> #2 rests 5
        B buys 4 @ 9                   -> #3 rests 4
        amend #2 to 4 @ 9              -> #2 reduced 1 amended
        amend #2 to 6 @ 9              -> #2 repriced 4; #2 rests 6
        amend #3 to 4 @ 11             -> #3 repriced 4; #3 rests 4
        amend #3 to 4 @ 12 post-only   -> rejected phase-forbids
        left: bid #3 4 @ 11, bid #2 6 @ 9, ask #1 5 @ 10
    """,
    "in an auction an amended order with a minimum waits on": """
        phase auction                  -> phase auction
        A sells 5 @ 10                 -> #1 rests 5
        B buys 5 @ 9 minimum=2         -> #2 waits 5
        amend #2 to 5 @ 12             -> #2 repriced 5; #2 waits 5
        left: ask #1 5 @ 10, waiting bid #2 5 @ 12 min 2
    """,
    "in an auction cancels and expiries": """
        A sells 5 @ 10                 -> #1 rests 5
        A sells 5 @ 10                 -> #2 rests 5
        A sells 5 @ 10                 -> #3 rests 5
        phase auction                  -> phase auction
        cancel #1                      -> #1 cancelled 5 requested
        expire #2                      -> #2 cancelled 5 expired
        mass cancel A                  -> #3 cancelled 5 requested
        left: nothing
    """,
    "halted: no new orders": """
        phase halted                   -> phase halted
        A sells 5 @ 10                 -> rejected phase-forbids
        A sells 5 @ 10 minimum=2       -> rejected phase-forbids
        A sells 5 @ 10 stop=2          -> rejected phase-forbids
        basket A sells 5 @ 10          -> rejected phase-forbids
        uncross 10                     -> rejected phase-forbids
        left: nothing
    """,
    "halted: amends to fewer lots only": """
        A sells 5 @ 10                 -> #1 rests 5
        A buys 5 @ 9 stop=12           -> #2 waits 5
        phase halted                   -> phase halted
        amend #1 to 4 @ 10             -> #1 reduced 1 amended
        amend #1 to 4 @ 10             -> #1 reduced 0 amended
        amend #1 to 5 @ 10             -> rejected phase-forbids
        amend #1 to 4 @ 11             -> rejected phase-forbids
        amend #2 to 5 @ 8              -> rejected phase-forbids
        amend #2 to 4 @ 9              -> #2 reduced 1 amended
        left: ask #1 4 @ 10, stop bid #2 4 @ 9 at 12
    """,
    "halted: cancels, expiries and mass cancels": """
        A sells 5 @ 10                 -> #1 rests 5
        A sells 5 @ 10                 -> #2 rests 5
        A sells 5 @ 10                 -> #3 rests 5
        phase halted                   -> phase halted
        cancel #1                      -> #1 cancelled 5 requested
        expire #2                      -> #2 cancelled 5 expired
        mass cancel A                  -> #3 cancelled 5 requested
        left: nothing
    """,
    "halt and resume": """
        A sells 5 @ 10                 -> #1 rests 5
        phase halted                   -> phase halted
        phase halted                   -> rejected phase-forbids
        phase continuous               -> phase continuous
        B buys 5 @ 10                  -> #2 trades 5 @ 10 with #1
        left: nothing
    """,
    "a crossed book does not become continuous": """
        phase auction                  -> phase auction
        A sells 5 @ 10                 -> #1 rests 5
        B buys 5 @ 10                  -> #2 rests 5
        phase continuous               -> rejected book-is-crossed
        phase halted                   -> phase halted
        phase continuous               -> rejected book-is-crossed
        cancel #1                      -> #1 cancelled 5 requested
        phase continuous               -> phase continuous
        left: bid #2 5 @ 10
    """,
    "orders that wait across the other side do not cross a book": """
        phase auction                  -> phase auction
        A sells 5 @ 10                 -> #1 rests 5
        B buys 6 @ 12 all-or-none      -> #2 waits 6
        phase continuous               -> phase continuous
        left: ask #1 5 @ 10, waiting bid #2 6 @ 12 min 6
    """,
    "back in continuous trading those that wait are tried": """
        phase auction                  -> phase auction
        A sells 5 @ 10                 -> #1 rests 5
        B buys 5 @ 12 all-or-none      -> #2 waits 5
        phase continuous               -> phase continuous; #2 trades 5 @ 10 with #1
        left: nothing
    """,
    "of those that wait the buy orders are tried first": """
        phase auction                  -> phase auction
        A sells 3 @ 12                 -> #1 rests 3
        A buys 3 @ 8                   -> #2 rests 3
        B sells 3 @ 8 all-or-none      -> #3 waits 3
        C buys 3 @ 12 all-or-none      -> #4 waits 3
        phase continuous               -> phase continuous; #4 trades 3 @ 8 with #3
        left: bid #2 3 @ 8, ask #1 3 @ 12
    """,
    "back in continuous trading the last trade triggers": """
        A sells 1 @ 10                 -> #1 rests 1
        B buys 1 @ 10                  -> #2 trades 1 @ 10 with #1
        phase auction                  -> phase auction
        C buys 5 @ 9 stop=10           -> #3 waits 5
        C buys 5 @ 9 stop=11           -> #4 waits 5
        C sells 5 @ 12 stop=10         -> #5 waits 5
        phase continuous               -> phase continuous; #3 triggered 5; #3 rests 5; #5 triggered 5; #5 rests 5
        left: bid #3 5 @ 9, ask #5 5 @ 12, stop bid #4 5 @ 9 at 11
    """,
    "a book without a trade triggers nothing": """
        phase auction                  -> phase auction
        A buys 5 @ 9 stop=0            -> #1 waits 5
        A buys 5 @ 9 stop=-5           -> #2 waits 5
        phase continuous               -> phase continuous
        left: stop bid #2 5 @ 9 at -5, stop bid #1 5 @ 9 at 0
    """,
    "first those that wait are tried, then stops of the last trade, then stops of their fills": """
        A sells 1 @ 10                 -> #1 rests 1
        B buys 1 @ 10                  -> #2 trades 1 @ 10 with #1
        phase auction                  -> phase auction
        C sells 3 @ 14 stop=8          -> #3 waits 3
        D buys 5 @ 7 stop=10           -> #4 waits 5
        A buys 3 @ 8                   -> #5 rests 3
        B sells 3 @ 8 all-or-none      -> #6 waits 3
        phase continuous               -> phase continuous; #6 trades 3 @ 8 with #5; #4 triggered 5; #4 rests 5; #3 triggered 3; #3 rests 3
        left: bid #4 5 @ 7, ask #3 3 @ 14
    """,
    "phases belong to one book": """
        phase auction book=1           -> phase auction
        A sells 5 @ 10 ioc             -> #1 cancelled 5 immediate-remainder
        A sells 5 @ 10 ioc book=1      -> rejected phase-forbids
        left: nothing
    """,
}
