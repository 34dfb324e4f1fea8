"""The traces and generated campaigns of tracebook-conformance, an engine test suite that knows nothing of ours, against its own reference.

Left out: pro-rata allocation, which our books do not have.
"""

import pytest
from tracebook.conformance import (
    ConformanceSuite,
    campaign_profile_names,
    copy_bundled_conformance_suite,
    run_campaign,
    run_conformance,
)

from tests.differential.conformance_adapter import CoreAdapter

SUITE_VERSIONS = ("v1", "v2")
NOT_OURS = {"pro-rata-allocation"}
TRACES, EVENTS_PER_TRACE = 3, 100


@pytest.fixture(params=SUITE_VERSIONS)
def suite(request, tmp_path) -> ConformanceSuite:
    return copy_bundled_conformance_suite(tmp_path / request.param, suite_version=request.param)


def test_bundled_traces(suite):
    cases = [case for case in suite.cases if case.name not in NOT_OURS]
    assert len(cases) == len(suite.cases) - len(NOT_OURS)
    for case in cases:
        report = run_conformance(case.load_events(), CoreAdapter, config=case.config, trace_name=case.name)
        assert report.conformant, (case.name, report.divergence)


@pytest.mark.parametrize("profile", campaign_profile_names())
def test_generated_campaigns(profile):
    result = run_campaign(CoreAdapter, profile, 42, TRACES, EVENTS_PER_TRACE)
    assert result.conformant, result.to_dict()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("profile", campaign_profile_names())
def test_long_generated_campaigns(profile, seed):
    result = run_campaign(CoreAdapter, profile, seed, 25, 400)
    assert result.conformant, result.to_dict()
