"""The gate: looks over pictures that are about to be published, and says what they still show or reveal."""
