"""An embedded Microsoft 365 on this machine, for the demo, tests and rehearsals."""
