from __future__ import annotations

from anonymizer.web.metrics import Metrics


def test_numbers_are_written_as_prometheus_reads_them() -> None:
    metrics = Metrics(seconds=1.5)
    metrics.requests["/v1/redact", 200] += 2
    metrics.pictures["done"] += 2
    metrics.films["too-large"] += 1
    lines = metrics.render({"jobs": ("Jobs that are on hand.", 3.0)}).splitlines()
    assert 'anonymizer_requests_total{route="/v1/redact",status="200"} 2' in lines
    assert 'anonymizer_pictures_total{outcome="done"} 2' in lines
    assert 'anonymizer_films_total{outcome="too-large"} 1' in lines
    assert "anonymizer_work_seconds_total 1.500000" in lines
    assert lines[-3:] == [
        "# HELP anonymizer_jobs Jobs that are on hand.",
        "# TYPE anonymizer_jobs gauge",
        "anonymizer_jobs 3",
    ]
    names = {line.partition(" ")[0].partition("{")[0] for line in lines if not line.startswith("#")}
    assert {line.split()[2] for line in lines if line.startswith("# TYPE")} == names
