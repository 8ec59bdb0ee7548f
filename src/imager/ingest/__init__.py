"""Ingest: from a folder of files to assets in the catalog.

    walk ──▶ plan ──▶ examine (workers) ──▶ record ──▶ settle
    folders  what is  read, hash, decode,  one trans-  what became of
    as they  new or   derive; one file     action for  paths that are
    lie      changed  at a time each       many files  gone

`run.py` ties them together. A file's step commits whole or not at all, many to a transaction; a run that was killed
is repeated, and finds by size, times and inode what is done already.
"""
