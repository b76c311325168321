"""The Need to Know spreadsheet: a copy of the ledger, plus the columns that people fill in."""
