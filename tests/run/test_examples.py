"""The manifests for clusters: what Ray and this program themselves say about them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

import anonymizer.run
from anonymizer.cli.main import anonymize
from anonymizer.cli.options import effective_options
from anonymizer.settings import RunSettings, from_options, settings_from_options

EXAMPLES = Path(anonymizer.run.__file__).parent / "examples"
JOB_FIELDS = {
    "activeDeadlineSeconds backoffLimit clusterSelector deletionStrategy entrypoint entrypointNumCpus "
    "entrypointNumGpus entrypointResources jobId managedBy metadata preRunningDeadlineSeconds rayClusterSpec "
    "runtimeEnvYAML shutdownAfterJobFinishes submissionMode submitterConfig submitterPodTemplate suspend "
    "ttlSecondsAfterFinished"
}
"""Of ray.io/v1, as KubeRay 1.7 defines it; others are dropped without a word."""
CLUSTER_FIELDS = {
    "authOptions autoscalerOptions enableInTreeAutoscaling gcsFaultToleranceOptions headGroupSpec "
    "headServiceAnnotations historyServerOptions managedBy networkPolicy rayVersion suspend tlsOptions "
    "upgradeStrategy workerGroupSpecs"
}
GROUP_FIELDS = {
    "groupName idleTimeoutSeconds labels maxReplicas minReplicas numOfHosts priority rayStartParams replicas "
    "resources scaleStrategy suspend template"
}


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((EXAMPLES / name).read_text())
    return content


def fields(of_kind: set[str]) -> set[str]:
    return set(" ".join(of_kind).split())


def check_command(line: str) -> RunSettings:
    """The settings of a command line as it stands in an example."""
    program, *arguments = shlex.split(line)
    assert program == "anonymize"
    context = anonymize.make_context("anonymize", arguments)
    options = effective_options(None, {k: v for k, v in context.params.items() if k != "config"})
    settings_from_options(options)
    return from_options(RunSettings, options)


def test_the_job_has_the_fields_that_the_operator_knows() -> None:
    job = read("rayjob.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert job["spec"].keys() <= fields(JOB_FIELDS)
    assert cluster.keys() <= fields(CLUSTER_FIELDS)
    assert all(group.keys() <= fields(GROUP_FIELDS) for group in cluster["workerGroupSpecs"])
    assert cluster["authOptions"] == {"mode": "token"}


def test_all_workers_of_the_job_find_a_place() -> None:
    job = read("rayjob.yaml")
    what = check_command(job["spec"]["entrypoint"])
    assert (what.executor, what.ray_address) == ("ray", "auto")
    (group,) = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert what.workers == group["maxReplicas"] * int(group["rayStartParams"]["num-cpus"])
    (container,) = group["template"]["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"] == group["rayStartParams"]["num-cpus"]


def test_the_autoscaler_of_ray_takes_the_job(needs_ray: None) -> None:
    """This is what it makes of such a cluster when it runs in it."""
    from ray.autoscaler._private.kuberay import autoscaling_config
    from ray.autoscaler._private.util import validate_config

    metadata = {"name": "anonymize", "namespace": "default"}
    resource = {"metadata": metadata, "spec": read("rayjob.yaml")["spec"]["rayClusterSpec"]}
    config = autoscaling_config._derive_autoscaling_config_from_ray_cr(resource)
    validate_config(config)
    assert config["available_node_types"]["spot"]["resources"]["CPU"] == 8
    assert config["available_node_types"]["headgroup"]["resources"]["CPU"] == 0


def test_the_launcher_of_ray_takes_the_cluster(needs_ray: None) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = prepare_config(read("cluster.yaml"))
    validate_config(config)
    spot = config["available_node_types"]["spot"]
    assert spot["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert config["max_workers"] * spot["resources"]["CPU"] == 120


@pytest.mark.parametrize("name", ["rayjob.yaml", "cluster.yaml"])
def test_ray_is_the_version_that_was_tried(name: str) -> None:
    assert "2.60.0" in (EXAMPLES / name).read_text()
