"""What nobody outside knows of Pelion's service, decided: every choice of the fake, in one place.

These are the fact sheet's marks [design], its open points (section 9), and what no public text says at all.
:data:`CONTRARIAN` decides each of them the other way: suites that pass against it, too, assert nothing that
nobody knows. What is known stays as it is known: paths, fields that clients need, the phrase ``Conflict``,
401 for a key that is not taken, 404 for what is not there, the shape of a developer certificate and of its C
file.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Everything that the fake does because it must do something.

    Refusals (pelion fact sheet, sections 4 and 9)

    :ivar bad_key: type of the error for a key that is unknown or revoked.
    :ivar no_key: type of the error for a header that is missing or malformed.
    :ivar invalid: type of the error for a body or query that cannot be.
    :ivar fields_told: whether such errors say which field.
    :ivar limit_status: status when an account has all certificates that it may have.
    :ivar reason_told: whether ``message`` says why, or only what the status means.
    :ivar unknown_filters: whether a filter that the service does not know is ignored, or refused.
    :ivar limit_clamped: whether a page of a size outside 2..1000 is taken as the nearest, or refused.
    :ivar after_refused: whether a page after an id that is not in the list is refused, or empty.
    :ivar both_spellings: whether paths are taken with and without a slash at their end, or only as
        documented.

    Answers (section 4)

    :ivar nulls: whether optional fields without a value are ``null``, or left out.
    :ivar total_always: whether lists have ``total_count`` also when nobody asked for it.
    :ivar key_shown_once: whether a key's text is in no answer but the one that made it.
    :ivar limits_told: whether an account tells its limits when asked with ``include=limits``.
    :ivar uri_with_account: whether the URI of server credentials says the account, as the C file's does.
    :ivar key_as_pkcs8: whether the PEM of a developer's private key is PKCS#8, as the C file's is, or SEC 1.

    Certificates (sections 3 and 9)

    :ivar longest_name: characters that a certificate's name may have.
    :ivar private_extension: whether developer certificates have the extension 1.3.6.1.4.1.4128.201.
    :ivar own_authorities_count: whether uploaded certificates count among those that an account may have.
    :ivar developers_manage_keys: whether users who are no administrators may make and delete keys.

    Devices and their events (sections 3, 6.3 and 9)

    :ivar endpoint_is_certificate: whether the directory calls a developer's device by its certificate's id,
        or by its own.
    :ivar deleted_devices_count: whether a device that was deleted still counts among the 100.
    :ivar bootstrap_sets_state: whether a known device that bootstraps again is ``bootstrapped`` again.
    :ivar device_moves: whether a known device that bootstraps with another certificate of its account stays
        the same device, or is a new one.
    :ivar update_events: whether a registration that is updated is an event.
    :ivar numeric_events: whether events have numbers as their types, or names.

    Bootstrap and registration (sections 3 and 6.2)

    :ivar refused_in_handshake: whether a device whose certificate is not trusted is refused in the handshake,
        or by the answer to its first request.
    :ivar bootstrap_refusal: code of the answer to a device that may not be bootstrapped, 403 is 4.03.
    :ivar objects_deleted: whether a device's security object is deleted before it is written.
    :ivar old_tlv: whether objects are said to be of the format 99, or of 11542.
    :ivar time_told: whether a device is told the time.
    """

    bad_key: str = "invalid_apikey"
    no_key: str = "invalid_token"
    invalid: str = "validation_error"
    fields_told: bool = True
    limit_status: int = 403
    reason_told: bool = True
    unknown_filters: bool = False
    limit_clamped: bool = False
    after_refused: bool = True
    both_spellings: bool = True

    nulls: bool = True
    total_always: bool = False
    key_shown_once: bool = True
    limits_told: bool = True
    uri_with_account: bool = True
    key_as_pkcs8: bool = True

    longest_name: int = 100
    private_extension: bool = True
    own_authorities_count: bool = False
    developers_manage_keys: bool = False

    endpoint_is_certificate: bool = True
    deleted_devices_count: bool = False
    bootstrap_sets_state: bool = True
    device_moves: bool = False
    update_events: bool = False
    numeric_events: bool = False

    refused_in_handshake: bool = True
    bootstrap_refusal: int = 403
    objects_deleted: bool = True
    old_tlv: bool = False
    time_told: bool = True


FAKE = Choices()
"""The fact sheet's own choices."""

CONTRARIAN = Choices(
    bad_key="invalid_auth",
    no_key="invalid_auth",
    invalid="bad_request",
    fields_told=False,
    limit_status=400,
    reason_told=False,
    unknown_filters=True,
    limit_clamped=True,
    after_refused=False,
    both_spellings=False,
    nulls=False,
    total_always=True,
    key_shown_once=False,
    limits_told=False,
    uri_with_account=False,
    key_as_pkcs8=False,
    longest_name=128,
    private_extension=False,
    own_authorities_count=True,
    developers_manage_keys=True,
    endpoint_is_certificate=False,
    deleted_devices_count=True,
    bootstrap_sets_state=False,
    device_moves=True,
    update_events=True,
    numeric_events=True,
    refused_in_handshake=False,
    bootstrap_refusal=400,
    objects_deleted=False,
    old_tlv=True,
    time_told=False,
)
"""Every choice decided the other way."""
