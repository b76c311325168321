"""Documents in, labelled fields out."""
