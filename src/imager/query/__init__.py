"""What people ask for: one `Query`, as a value (model), as JSON (codec), as text that people type (text).

`understand` reads what they say in plain words.
"""
