"""The rules: pure, no clock, no files, no network; standard library only."""
