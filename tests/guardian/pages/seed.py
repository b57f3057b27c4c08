"""What the seed 'Manage device provisioning' names of the pages, and the test that shows it in Chromium.

The texts are the seed's own, written down once more: were they taken from the package, a wrong label would be
right everywhere. ``docs/reference/guardian.md`` maps what is here.
"""

from __future__ import annotations

COLUMNS = [
    "System name",
    "System instance name",
    "System instance ID",
    "Component name",
    "Component instance ID",
    "Component instance created on",
    "Device HW ID",
    "Approval type",
    "Provisioning status",
    "Request ID",
    "Request created on",
    "Response ID",
    "Response created on",
    "Provision source",
    "Approved on",
    "Approved by",
    "Rejected on",
    "Rejected by",
    "Provisioned on",
    "Provisioned by",
    "Actions",
]
"""In the order of the seed; each is shown by ``test_devices_shown.py::test_column[...]``."""

MANUAL_STATUSES = [
    "Verifying...",
    "Needs approval",
    "Approving...",
    "Complete provisioning",
    "Rejecting...",
    "Provisioning",
    "Provisioned",
    "Rejected by user",
    "Rejected by system",
    "Must be provisioned by appliance",
    "Duplicate HW ID",
    "Missing PR signer key",
    "Malformed PR signature",
    "Max instances exceeded",
    "Vault could not sign certificates",
    "Vault could not sign profile",
    "Vault request timed out",
    "Vault could not find PR signer",
    "Vault could not find device leaf certificates",
    "Vault could not find vault signer certificate",
    "Component mismatch",
    "HW ID mismatch",
    "Instance mismatch",
    "Device is already provisioning",
]
"""What a Manual system's requests may show; ``test_devices_shown.py::test_status_can_be_filtered[...]``."""

TESTS = {
    "Select system name (breadcrumb)": "test_devices_shown.py::test_select_system_name_in_the_breadcrumb",
    "Select system name (quick filter)": "test_devices_shown.py::test_quick_filter_of_the_system",
    "Columns": "test_devices_shown.py::test_column_can_be_chosen",
    "Filters: General: System name": "test_devices_shown.py::test_filters_general",
    "Filters: General: System instance": "test_devices_shown.py::test_filters_general",
    "Filters: General: Component name": "test_devices_shown.py::test_filters_general",
    "Filters: General: Device hardware ID": "test_devices_shown.py::test_filters_general",
    "Filters: Provisioning details: toggle": "test_devices_shown.py::test_toggle_current_or_all_statuses",
    "Filters: Provisioning details: Provisioning status": (
        "test_devices_shown.py::test_filters_provisioning_details"
    ),
    "Filters: Provisioning details: Provisioned on": (
        "test_devices_shown.py::test_filters_provisioning_details"
    ),
    "Statuses by approval type": "test_devices_shown.py::test_automatic_system_offers_its_statuses",
    "Settings: ISO format": "test_devices_shown.py::test_settings_toggle_dates",
    "Settings: local time": "test_devices_shown.py::test_settings_toggle_dates",
    "Export: All devices: Device provisioning report": (
        "test_devices_shown.py::test_export_names_its_groups"
    ),
    "Export: Selected devices: Device provisioning report": (
        "test_devices_shown.py::test_export_names_its_groups"
    ),
    "Actions: ... overflow": "test_devices_shown.py::test_overflow_of_actions",
    "Approve": "test_devices_acted.py::test_approve_individual_pr",
    "Approve PR": "test_devices_acted.py::test_approve_individual_pr",
    "Reject PR in the approval panel": "test_devices_acted.py::test_reject_at_the_point_of_approval",
    "Reject": "test_devices_acted.py::test_reject_individual_pr",
    "Reject PR": "test_devices_acted.py::test_reject_individual_pr",
    "Provision": "test_devices_acted.py::test_provision_individual_device",
    "Provision device": "test_devices_acted.py::test_provision_individual_device",
    "Approve X PRs": "test_devices_acted.py::test_bulk_approve_prs",
    "Reject X PRs": "test_devices_acted.py::test_bulk_reject_prs",
    "Summary before a bulk rejection": "test_devices_acted.py::test_bulk_reject_prs",
    "Provision X devices": "test_devices_acted.py::test_bulk_provision_devices",
    "Success message": "test_devices_acted.py::test_approve_individual_pr",
    "Verifying...": "test_devices_acted.py::test_transient_statuses_change_by_themselves",
    "Approving...": "test_devices_acted.py::test_transient_statuses_change_by_themselves",
    "Rejecting...": "test_devices_acted.py::test_rejecting_is_seen",
    "Auto-approved": "test_devices_acted.py::test_automatic_statuses_change_by_themselves",
    "Provisioning": "test_devices_acted.py::test_automatic_statuses_change_by_themselves",
    "Provisioned": "test_devices_acted.py::test_automatic_statuses_change_by_themselves",
    "No approval in the Automatic type": "test_devices_acted.py::test_automatic_type_offers_no_approval",
    "Provisioning page: upload and download": "test_provisioning_page.py::test_upload_follow_download",
    "Role Reporter": "test_provisioning_page.py::test_reporter_only_looks",
    "Role Limited": "test_provisioning_page.py::test_limited_sees_own_devices",
}
"""Which test of this directory shows what."""
