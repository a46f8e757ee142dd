"""The names of organizations, for what is listed by them."""

# The newest name of each organization, as 1. Two instances tell it twice, and a renamed organization has two names for
# some minutes: one of them is taken.
NAME = "(topk by (org_id) (1, max by (org_id, org_name) (timestamp(lk_org_info{ALL}))) * 0 + 1)"

ORGANIZATION = {"org_name": "Organization"}
ORGANIZATION_AND_ID = {"org_name": "Organization", "org_id": "Id"}


def named(expr: str) -> str:
    """Gives numbers by `org_id` the label `org_name`. An organization without a name, such as `unknown`, has its id."""
    return (
        f"({expr}) * on (org_id) group_left (org_name) {NAME}"
        f' or on (org_id) label_replace({expr}, "org_name", "$1", "org_id", "(.+)")'
    )


def top(expr: str, beside: str = "", most: int = 20) -> str:
    """Returns the organizations with the most, or this of those that have the most of something else."""
    return named(f"({expr} and on (org_id) topk({most}, {beside}))" if beside else f"topk({most}, {expr})")
