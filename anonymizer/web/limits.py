"""Limits of the server that nobody needs to choose; the others are `ServeSettings`."""

MAX_PARTS = 64
"""Parts of a form: a file, detections, and each setting once."""
MAX_PART_HEAD_BYTES = 4096
"""Headers of a part."""
MAX_FIELD_CHARS = 1_000
"""Characters of a setting. Longer zones cost seconds to check; they can be posted as detections."""
MAX_QUERY_BYTES = 8_000
"""Of an address behind the question mark."""
MAX_DETECTIONS_BYTES = 4_000_000
"""Detections that are posted: some 15,000 objects."""
MAX_FILM_DETECTIONS_BYTES = 64_000_000
"""The same for a film, which has them for each frame."""

UPLOAD_TIMEOUT_S = 120.0
"""How long a request may take to arrive."""
HEADER_TIMEOUT_S = 10.0
"""How long the headers of a request may take to arrive."""
SEND_TIMEOUT_S = 30.0
"""How long a client may read nothing of its answer."""
DISCARD_TIMEOUT_S = 10.0
"""How long a client may go on sending what has been refused."""
KEEP_ALIVE_S = 5
"""How long a connection may wait for its next request."""
SHUTDOWN_S = 10
"""How long answers may take once the server is to stop."""

ADDRESS_SHARE = 0.5
"""What one address may take up of the memory for uploads and results."""
MAX_CONNECTIONS = 2_000
"""Connections at the same time; further ones are closed at once."""
SESSION_S = 12 * 3600
"""How long a browser stays signed in."""
MAX_ENDED_SESSIONS = 10_000
"""So many are remembered that have ended before their time; with one more, all sessions end."""
CHUNK_BYTES = 1 << 16
"""What is sent in one piece, and waits for the client to read."""
