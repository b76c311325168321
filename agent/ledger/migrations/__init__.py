"""How the ledger's schema came about, step by step; run when a ledger is opened."""
