"""Who asks: accounts and their passwords, sessions, API keys, one-time links, and what was tried too often."""
