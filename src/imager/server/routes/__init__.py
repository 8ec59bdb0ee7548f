"""The routes, a module a group: each has a `router` whose prefix is the whole path of the group.

Each route declares what it needs of who asks (`asking.need` or `asking.public`).
"""

ROUTERS = [
    "assets",  # what is asked for most comes first: each path that is tried takes time
    "timeline",
    "search",
    "health",
    "description",
    "opening",
    "session",
    "members",
    "keys",
    "edits",
    "albums",
    "trash",
    "jobs",
    "events",
    "map",
    "stats",
    "uploads",
    "shares",
    "shared",
    "zips",
    "graphql",
]
"""Names of the modules, in the order in which paths are tried."""
