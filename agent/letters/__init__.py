"""A letter's data and a template: subject, text and HTML out."""
