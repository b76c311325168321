"""The original record: the promise (`base`), the simplest that keeps it (`memory`), the real one (`sql`).

The real one stands on `sql_page` (what one transaction may do), `rows` (rows and values), `database`
(opening, transactions, troubles), `schema` with its `migrations`, and `chain` (the seals on the lines).
"""
