"""The original record: the promise (`base`), the simplest that keeps it (`memory`), the real one (`sql`).

The real one stands on `database` (opening, transactions, troubles), `schema` with its `migrations`, and
`chain` (the seals on the lines).
"""
