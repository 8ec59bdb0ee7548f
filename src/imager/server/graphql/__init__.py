"""GraphQL over the library, for reading only: the same desks, the same view of each asker, the same words as in JSON.

`types` is what there is to be read, `schema` how it is, `limits` how much of it at once. Whatever is asked comes as one
POST of JSON (`routes/graphql.py`), which no other site's page can send with somebody's cookie unasked.
"""

from imager.server.graphql.schema import Answer, execute, printed

__all__ = ["Answer", "execute", "printed"]
