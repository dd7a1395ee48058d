"""Who executes the pipeline over a folder."""
