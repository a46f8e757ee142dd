"""The dashboards of lkpush."""

from . import organization, pipeline, platform

ALL = (organization.DASHBOARD, platform.DASHBOARD, pipeline.DASHBOARD)
