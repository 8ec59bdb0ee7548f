"""Programs that measure Imager, each beside what limits it and beside its peers; see README.md here."""
