"""What requests and answers look like, a module a group of routes; each with an example."""
