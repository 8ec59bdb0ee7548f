"""Imager served: the HTTP interface to a library.

`app.create_app` puts together what stands in this package. A request passes the `guard` (Host, cross-site requests,
size, headers), is told apart by `asking` (who asks, and with what rights), and does its work at a desk (`desks`: a
thread with a library of its own). What happened goes out by `events`; what went wrong by `problems`.
"""
