"""Says whose face it is, of the few people that a user names by a gallery."""
