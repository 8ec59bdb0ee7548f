"""Who may see and do what: one rule set, as SQL and as bitmaps."""
