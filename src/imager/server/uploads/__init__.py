"""Uploads: bytes that come over the network, until they are pictures in a folder of the library.

    tus       what requests of the protocol say: headers and their errors
    table     the uploads that have begun, as rows of the catalog
    parts     their bytes on the disk: nothing is acknowledged that is not forced there
    inbox     the folder that they end in, and how they are called there
    arriving  from the last byte to the picture: verify, place, take in; also after the server was killed

The order of writes is what makes a kill harmless at any moment:

1. The row; then bytes, in `<library>/uploads/<id>.part`, forced to disk; then how many, in the row.
2. Where it will lie (in the row); then the file there, whole and forced to disk; then its part is removed.
3. The catalog takes it in; then the row tells the picture that it became.

Whoever starts next reads off the row and the two files how far it came (`arriving.resume`).
"""
