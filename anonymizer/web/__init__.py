"""The server: pictures come and go over HTTP, and nothing of them reaches a disk or a log. The extra `web`."""
