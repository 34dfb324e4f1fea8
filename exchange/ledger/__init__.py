"""The ledger: chart of accounts, balances, holds and postings in integers. Every posting balances."""
